package TwoWorkers;

# Two workers in every test that does not ask for a number of its own:
#
#   TEST_NGINX_MASTER_PROCESS=on \
#       scripts/prove --exec 'perl -It/lib -MTwoWorkers' t

use strict;
use warnings;

use Test::Nginx::Util 'workers';

workers(2);

1;
