package Patient;

# What Test::Nginx gives a time to come is waited for until it is there: lines
# of the logs, and what an upstream of a test was asked.  What a test gives a
# time itself it says by steps: what there has to be after each piece of its
# request, before the next one is sent, or with "abort" before the client
# leaves.  That is a pattern of the answer, or in brackets one of the error log.
#
#   --- steps eval: [ qr/hello/ ]
#   --- steps eval: [ [qr/http upstream send request/] ]

use strict;
use warnings;

use IO::Select;
use IO::Socket::INET;
use POSIX ();
use Test::Nginx::Socket ();
use Test::Nginx::Util ();
use Time::HiRes qw(sleep time);


# seconds, whatever the machine does; and when something did not come, for one
# failure brings others

our $patience = $ENV{TEST_NGINX_TIMEOUT} || 60;
our $impatience = 1;

our $wanted;                           # of the error log: a function of lines

my %was = (
    error_log_data => \&Test::Nginx::Socket::error_log_data,
    check_error_log => \&Test::Nginx::Socket::check_error_log,
    check_access_log => \&Test::Nginx::Socket::check_access_log,
    send_request => \&Test::Nginx::Socket::send_request,
    run_tcp_server_tests => \&Test::Nginx::Util::run_tcp_server_tests,
);

{
    no warnings qw(redefine prototype);

    *Test::Nginx::Socket::error_log_data = \&error_log_data;
    *Test::Nginx::Socket::check_error_log = \&check_error_log;
    *Test::Nginx::Socket::check_access_log = \&check_access_log;
    *Test::Nginx::Socket::send_request = \&send_request;
    *Test::Nginx::Util::run_tcp_server_tests = \&run_tcp_server_tests;
}


# 1 as soon as it is true

sub until {
    my $what = shift;
    my $end = time + $patience;

    while (!$what->()) {
        if (time > $end) {
            $patience = $impatience;
            return 0;
        }

        sleep 0.02;
    }

    return 1;
}


sub error_log_data () {
    my @lines;
    my $accumulates = $Test::Nginx::Util::CheckAccumErrLog;

    Patient::until(sub {
        my $new = $was{error_log_data}->() || [];

        @lines = $accumulates ? @$new : (@lines, @$new);

        return !$wanted || $wanted->(\@lines);
    });

    return \@lines;
}


sub check_error_log {
    my ($block, $res, $dry_run, $nth) = @_;
    my @patterns = patterns($block->error_log);
    my $grep = nth($block->grep_error_log, $nth);
    my $out = nth($block->grep_error_log_out, $nth);

    local $wanted = $dry_run ? undef : sub {
        my $lines = shift;

        return found($lines, @patterns)
               && (!defined $grep || !comes($lines, $grep, $out));
    };

    $was{check_error_log}->(@_);
}


sub check_access_log {
    my ($block, $dry_run) = @_;
    my @patterns = patterns($block->access_log);

    if (@patterns && !$dry_run) {
        Patient::until(sub {
            open my $in, '<', $Test::Nginx::Util::AccLogFile or return 0;
            return found([<$in>], @patterns);
        });
    }

    $was{check_access_log}->(@_);
}


# an array has one for each repetition

sub nth {
    my ($value, $n) = @_;

    return ref $value && ref $value eq 'ARRAY' ? $value->[$n] : $value;
}


sub patterns {
    my $value = shift;

    return !defined $value ? () : ref $value eq 'ARRAY' ? @$value
           : ref $value ? ($value) : split(/\n+/, $value);
}


sub found {
    my ($lines, @patterns) = @_;

    for my $pattern (@patterns) {
        my $re = ref $pattern ? $pattern : qr/\Q$pattern\E/;

        return 0 if !grep { $_ =~ $re } @$lines;
    }

    return 1;
}


# whether lines that are not there yet may make it what is expected

sub comes {
    my ($lines, $grep, $expected) = @_;
    my $re = ref $grep ? $grep : qr/\Q$grep\E/;
    my $seen = '';

    for my $line (@$lines) {
        if ($line =~ $re && $& !~ /\n/) {
            $seen .= "$&\n";
        }
    }

    return $seen !~ $expected if ref $expected;

    return $seen ne $expected && index($expected, $seen) == 0;
}


sub run_tcp_server_tests {
    my ($block, $socket, $file) = @_;
    my $query = $block->tcp_query;

    if (defined $socket && $file && defined $query) {
        Patient::until(sub {
            open my $in, '<', $file or return 0;
            local $/;
            my $text = <$in> // '';
            return ref $query ? $text =~ $query : $text eq $query;
        });
    }

    $was{run_tcp_server_tests}->(@_);
}


sub send_request {
    my ($request, $delay, $timeout, $block) = @_;
    my $steps = $block->steps or return $was{send_request}->(@_);
    my @pieces = map { $_->{value} } ref $request ? @$request : ();
    my $log = -s $Test::Nginx::Util::ErrLogFile || 0;
    my ($socket, $answer) = (undef, '');

    Patient::until(sub {
        $socket = IO::Socket::INET->new(
            PeerAddr => $Test::Nginx::Util::ServerAddr, Proto => 'tcp',
            PeerPort => $Test::Nginx::Util::ServerPortForClient);
    }) or die $block->name . " - cannot connect: $!\n";

    for my $i (0 .. $#pieces) {
        my $step = $steps->[$i];

        $socket->syswrite($pieces[$i]);

        next if !defined $step;

        Patient::until(sub {
            return in_log($log, @$step) if ref $step eq 'ARRAY';
            return $answer =~ $step || !more($socket, \$answer);
        });
    }

    if (!defined $block->abort) {
        Patient::until(sub { !more($socket, \$answer) });
    }

    close $socket;

    return ($answer, 0);
}


# what is there by now; 0 at the end

sub more {
    my ($socket, $answer) = @_;

    return 1 if !IO::Select->new($socket)->can_read(0.02);

    return $socket->sysread($$answer, 65536, length $$answer) ? 1 : 0;
}


sub in_log {
    my ($from, $pattern) = @_;

    open my $in, '<', $Test::Nginx::Util::ErrLogFile or return 0;
    seek $in, $from, 0;

    return found([<$in>], $pattern);
}


1;
