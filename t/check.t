# A check that finds nothing wrong may just not look: each rule of the style,
# layer and documentation checks is broken once, in a copy of the tree, and has
# to be heard.

use strict;
use warnings;

use Cwd 'abs_path';
use File::Basename;
use File::Temp 'tempdir';
use Test::More;

my $root = abs_path(dirname(__FILE__) . '/..');
my $src = 'ngx_http_llm_monitor_module';


# a file, what replaces what in it, the check, what it must say

my @planted = (
    ['style', "$src/record/llm_record.c", sub { s/\z/\n\/* @{['x' x 80]} *\/\n/ },
     qr/longer than 80/],
    ['style', "$src/record/llm_record.c", sub { s/\z/\tint  i;\n/ }, qr/: tab/],
    ['style', "$src/record/llm_record.c", sub { s/\z/int  i; \n/ },
     qr/space at the end/],
    ['style', "$src/record/llm_record.c", sub { s/\z/\/\/ one\n/ },
     qr{// comment}],
    ['style', "$src/record/llm_record.c", sub { s/\z/\/* TODO: more *\/\n/ },
     qr/unfinished/],
    ['style', "$src/record/llm_record.c", sub { s/\n\z// },
     qr/no newline at the end/],
    ['style', "$src/record/llm_record.c", sub { s/\A\n// },
     qr/copyright comment/],
    ['style', "$src/record/llm_record.c", sub { s/\z/"\n" x 900/e },
     qr/more than 900 lines/],
    ['style', "$src/record/llm_record.c",
     sub { s/\z/"\n\nint\nlong_one(void)\n{\n" . "    ;\n" x 131 . "}\n"/e },
     qr/function of 131 lines/],
    ['style', "$src/record/llm_record.c",
     sub { s/\z/\n\nstatic int\nlone(void)\n{\n    return 0;\n}\n/ },
     qr/static lone\(\) has no prototype/],
    ['style', "$src/record/llm_record.c",
     sub { s/\z/\n\nint one_line(void)\n{\n    return 0;\n}\n/ },
     qr/return type of one_line\(\)/],
    ['style', "$src/record/llm_record.c",
     sub { s/\z/\n\nint\na(void)\n{\n    return 0;\n}\n\nint  b;\n/ },
     qr/fewer than two empty lines/],
    ['style', "$src/record/llm_record.h", sub { s/#include "llm.h"\n// },
     qr/does not compile alone/],
    ['style', "$src/record/llm_record.h", sub { s/_LLM_RECORD_H_/_RECORD_H_/g },
     qr/the guard is not/],

    ['layers', "$src/record/llm_record.c",
     sub { s/\z/#include "..\/extract\/llm_route.h"\n/ },
     qr/record includes extract/],
    ['layers', "$src/record/llm_record.c",
     sub { s/\z/#include <ngx_core.h>\n/ }, qr/plain C includes <ngx_core/],
    ['layers', "$src/record/llm_record.c",
     sub { s/\z/static ngx_str_t  s;\n/ }, qr/plain C uses ngx_str_t/],
    ['layers', "$src/extract/llm_route.c",
     sub { s/\z/#include <sqlite3.h>\n/ }, qr/<sqlite3.h> has no place/],
    ['layers', "$src/extract/llm_route.c",
     sub { s/\z/#include <yajl\/yajl_parse.h>\n/ }, qr/<yajl.* has no place/],
    ['layers', "$src/store/llm_db.c",
     sub { s/\z/#include <zstd.h>\n/ }, qr/<zstd.h> has no place/],
    ['layers', "$src/serve/ngx_http_llm_monitor_api.h",
     sub { s/\z/#include "..\/capture\/ngx_http_llm_monitor_capture.h"\n/ },
     qr/serve includes capture/],
    ['layers', "$src/capture/ngx_http_llm_monitor_log.c",
     sub { s/#include/#include <time.h>\n#include/ },
     qr/<time.h> comes before nginx/],
    ['layers', "$src/capture/ngx_http_llm_monitor_log.c",
     sub { s/\z/static int x = ngx_shmtx_trylock(NULL);\n/ },
     qr/belongs to the zone/],
    ['layers', "$src/store/llm_db.c",
     sub { s/\z/static char  *x = "SELECT * FROM log WHERE id = '%s'";\n/
           and s/'%s'/%s/ }, qr/a value in SQL text/],
    ['layers', "$src/store/llm_db.c",
     sub { s/\z/static char  *x = "DELETE FROM log WHERE id = %lld";\n/ },
     qr/a value in SQL text/],

    ['docs', 'docs/directives.md', sub { s/^## llm_monitor_if$/## Gone/m },
     qr/llm_monitor_if is not documented/],
    ['docs', 'docs/directives.md', sub { s/\z/\n## llm_monitor_more\n/ },
     qr/llm_monitor_more is no directive/],
    ['docs', 'docs/directives.md',
     sub { s/(## llm_monitor_api\n.*?Context:\*\*) location/$1 http/s },
     qr/llm_monitor_api is allowed in location, not in http/],
    ['docs', 'docs/directives.md', sub { s/`\$llm_ttft`/ttft/g },
     qr/\$llm_ttft is not documented/],
);


my $dir = tempdir(CLEANUP => 1);

system("cd '$root' && tar -c --exclude=node_modules $src config Makefile"
       . " scripts docs t demo .ci | tar -x -C '$dir'") == 0
    or die "cannot copy the tree\n";


sub check {
    my $name = shift;
    my $said = `'$root/scripts/check-$name' '$dir' 2>&1`;

    return ($? >> 8, $said);
}


for my $name ('style', 'layers', 'docs') {
    my ($rc, $said) = check($name);

    is($rc, 0, "check-$name has nothing to say of the tree") or diag($said);
}

for my $case (@planted) {
    my ($name, $file, $change, $complaint) = @$case;

    local $/;
    open my $in, '<', "$dir/$file" or die "$file: $!\n";
    my $good = <$in>;
    close $in;

    local $_ = $good;
    $change->();

    isnt($_, $good, "$file is changed");

    spew($file, $_);
    my ($rc, $said) = check($name);
    spew($file, $good);

    ok($rc != 0 && $said =~ $complaint, "check-$name hears $complaint")
        or diag("exit code $rc: $said");
}

done_testing();


sub spew {
    my ($file, $text) = @_;

    open my $out, '>', "$dir/$file" or die "$file: $!\n";
    print $out $text;
    close $out;
}
