package UnderValgrind;

# Test::Nginx does not wait long for an nginx that valgrind makes slow: neither
# for its start, nor for its end, when valgrind says what was lost.  Here a test
# begins when nginx has its sockets, and ends when nginx has ended.  What is
# refused is refused under valgrind, too.
#
#   perl -It/lib -MUnderValgrind t/00-load.t

use strict;
use warnings;

use Cwd qw(abs_path);
use File::Basename qw(dirname);
use POSIX ();
use Test::Nginx::Socket ();
use Test::Nginx::Util ();
use Time::HiRes qw(sleep time);


# seconds, for a machine with much else to do

our $patience = 600;

my $helper = $Test::Nginx::Util::RunTestHelper;
my $run_test = \&Test::Nginx::Util::run_test;
my $refusing = abs_path(dirname(__FILE__)) . '/nginx-valgrind';

{
    no warnings qw(redefine prototype);

    *Test::Nginx::Util::run_test = sub {
        my $block = shift;

        local $Test::Nginx::Util::NginxBinary = $refusing
            if defined $block->must_die;

        $run_test->($block);
    };
}

$Test::Nginx::Util::RunTestHelper = sub {
    my ($block, $dry_run, $i) = @_;

    wait_until(sub { -s $Test::Nginx::Util::PidFile });

    $helper->($block, $dry_run, $i);

    end_of($block) if $i == $Test::Nginx::Util::RepeatEach - 1;
};


sub end_of {
    my $block = shift;
    my $pid = $Test::Nginx::Util::ChildPid or return;

    kill 'QUIT', $pid;

    wait_until(sub { 0 })
        or warn $block->name . " - nginx does not end under valgrind\n";
}


# 1 as soon as it is true, or there is no nginx any more

sub wait_until {
    my $what = shift;
    my $end = time + $patience;

    while (!$what->()) {
        my $pid = $Test::Nginx::Util::ChildPid or return 1;

        if (waitpid($pid, POSIX::WNOHANG) != 0) {
            undef $Test::Nginx::Util::ChildPid;
            return 1;
        }

        return 0 if time > $end;

        sleep 0.02;
    }

    return 1;
}


1;
