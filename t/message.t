#!/usr/bin/perl

# Copyright (C) llm_monitor contributors

# Every recorded answer, rebuilt in C and a second time in Python, must give
# the same text, thinking, refusal and tool calls.

use warnings;
use strict;

use File::Temp qw(tempdir);
use FindBin;

my $root = "$FindBin::Bin/..";
my $corpus = $ENV{LLM_CORPUS} || "$root/../shared/corpus";

if (!-d $corpus) {
    print "1..0 # SKIP no corpus, set LLM_CORPUS to its folder\n";
    exit 0;
}

my $dir = tempdir(CLEANUP => 1);
my $src = "$root/ngx_http_llm_monitor_module";

my @files = map { "$src/$_.c" } qw(
    extract/llm_message extract/llm_message_shapes extract/llm_pull
    extract/llm_aws extract/llm_base64 record/llm_buf record/llm_json_write
    record/llm_text
);

system($ENV{CC} || 'cc', '-std=gnu11', '-O1', '-g',
       '-fsanitize=address,undefined', '-fno-sanitize-recover=all',
       '-o', "$dir/message", "$root/t/lib/message.c", @files, '-lm') == 0
    or die "cannot build the program\n";

system('python3', "$root/t/lib/message.py", "$dir/message", $corpus);

exit($? >> 8);
