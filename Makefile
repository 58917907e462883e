
# Copyright (C) llm_monitor contributors
#
#   make             build/ngx_http_llm_monitor_module.so for the installed
#                    nginx, or for another source tree: make NGINX_SRC=dir
#   make UI=off      the same without the page, which needs Node
#   make run, stop   a demonstration on 127.0.0.1:8080 and its end
#   make test        every test, on a bare machine too
#   make test-alerts what needs a real Prometheus or VictoriaMetrics
#   make unit        the unit tests alone
#   make prove       the Test::Nginx files alone: make prove T=t/00-load.t
#   make check       style, layers, exported symbols, documented directives
#   make matrix      two versions of nginx, two compilers, dynamic and static
#   make asan        nginx with the module linked in, under sanitizers
#   make fuzz        every parser for a minute: SECONDS=600 TARGET=route
#   make analyze     cppcheck and the analyzers of GCC and Clang: WHAT=gcc
#   make faults      kills, full disks, no memory, ...: T=store; the short form
#                    is in make test
#   make bench       what the module and others cost: WHAT=instructions
#   make dashboards  Grafana's dashboards from docs/grafana/source
#   make prices      the built-in price table anew: VERSION=0.1.8
#   make install     copies the module to nginx's modules, and llm-monitor


SHELL     := /bin/bash
BUILD     ?= build
NGINX_SRC ?= /usr/share/nginx/src
ADD       ?= --add-dynamic-module
UI        ?= on
NAME      := ngx_http_llm_monitor_module
MODULE    := $(BUILD)/$(NAME).so
TREE      := $(BUILD)/nginx

# Flags of the module's own files.  They reach nothing else: what is compiled
# for a dynamic module is the module.

OPTIMIZE ?= -g -O2 -fPIC -fno-semantic-interposition \
            -fstack-protector-strong -D_FORTIFY_SOURCE=2
CC_OPT  ?= $(OPTIMIZE) -Wformat -Werror=format-security -Wextra -Wshadow \
           -Wmissing-prototypes -Wno-unused-parameter -Werror
LD_OPT  ?= -Wl,-z,relro -Wl,-z,now -fPIC

# What another source tree is configured with; the installed nginx says it
# itself.

NGX_CONF ?= --with-compat --with-debug --with-threads --with-http_ssl_module \
            --with-http_v2_module --with-http_realip_module \
            --with-http_auth_request_module --with-http_gunzip_module \
            --with-http_sub_module --with-http_slice_module \
            --with-http_addition_module --with-http_stub_status_module

# Plain C, which is compiled and tested without nginx, under sanitizers.

SRC   := ngx_http_llm_monitor_module
PLAIN := $(wildcard $(SRC)/record/*.c $(SRC)/extract/*.c \
           $(SRC)/ring/llm_*.c $(SRC)/store/*.c)
LIBS  := -lsqlite3 -lyajl -lz -lbrotlidec -lzstd -lpcre2-8 -lpthread -lm
WARN  := -std=gnu11 -Wall -Wextra -Werror -Wpointer-arith -Wshadow \
         -Wno-unused-parameter -Wmissing-prototypes
UNIT  := $(patsubst t/unit/%.c,$(BUILD)/unit/%,$(wildcard t/unit/test_*.c))
OBJ   := $(patsubst %.c,$(BUILD)/obj/%.o,$(PLAIN))
ASAN  := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all


ifeq ($(ADD),--add-module)
module: listed page binary
else
module: listed page $(TREE)/objs/Makefile
	@$(MAKE) -s --no-print-directory -C $(TREE) -f objs/Makefile modules
	@cmp -s $(TREE)/objs/$(NAME).so $(MODULE) \
	|| { cp $(TREE)/objs/$(NAME).so $(MODULE).new \
	     && mv $(MODULE).new $(MODULE) && echo "built $(MODULE)"; }
endif


# A source that config does not list would be missed only when nginx loads the
# module.

LISTED := $(shell sed -n 's,.*$$ngx_llm_dir/\([a-z0-9_/]*\.c\).*,\1,p' config)
THERE  := $(patsubst $(SRC)/%,%,$(wildcard $(SRC)/*.c $(SRC)/*/*.c))

listed:
	@test -z '$(filter-out $(LISTED),$(THERE))' \
	|| { echo 'config does not list $(filter-out $(LISTED),$(THERE))' >&2; \
	     exit 1; }


# The page as a C source, in the same place for every BUILD: config looks there.

page:
ifneq ($(UI),off)
	@scripts/build-ui build/ui
endif


# nginx itself too, for trees that have its sources

nginx: module binary

binary: $(TREE)/objs/Makefile
	@$(MAKE) -s --no-print-directory -C $(TREE) -f objs/Makefile binary
	@echo "built $(TREE)/objs/nginx"


# The tree is a copy: configure writes into it.  It is configured anew when
# config has changed or another tree is asked for.

$(TREE)/objs/Makefile: config $(SRC)/exports.map $(BUILD)/tree | page
	@test -x $(NGINX_SRC)/configure \
	|| { echo "no nginx source in $(NGINX_SRC): run" \
	          "scripts/install-deps build, or give NGINX_SRC=dir" >&2; \
	     exit 1; }
	@rm -rf $(TREE)
	@cp -R $(NGINX_SRC) $(TREE)
	@echo "configuring $(NGINX_SRC), see $(BUILD)/configure.log"
	@cd $(TREE) \
	&& NGX_CONF_FLAGS=( $(NGX_CONF) ) \
	&& { test ! -f conf_flags || . ./conf_flags; } \
	&& UI='$(UI)' ./configure "$${NGX_CONF_FLAGS[@]}" --with-cc-opt='$(CC_OPT)' \
	       --with-ld-opt='$(LD_OPT)' $(ADD)='$(CURDIR)' \
	       $(NGX_ADD) >../configure.log 2>&1 \
	|| { tail -n 12 ../configure.log >&2; rm -f objs/Makefile; exit 1; }

TREE_IS := $(NGINX_SRC) $(UI) $(ADD) $(NGX_CONF) $(CC_OPT) $(LD_OPT) $(NGX_ADD)

$(BUILD)/tree: FORCE
	@mkdir -p $(BUILD)
	@echo '$(TREE_IS)' | cmp -s - $@ || echo '$(TREE_IS)' >$@


install: module
	install -D -m 644 $(MODULE) $(DESTDIR)/usr/lib/nginx/modules/$(NAME).so
	install -D -m 755 scripts/llm-monitor $(DESTDIR)/usr/bin/llm-monitor


$(BUILD)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(WARN) $(ASAN) -MMD -MP -c -o $@ $<

$(BUILD)/libllm.a: $(OBJ)
	rm -f $@ && ar rcs $@ $^

$(BUILD)/unit/%: t/unit/%.c t/unit/tap.h $(BUILD)/libllm.a
	@mkdir -p $(@D)
	$(CC) $(WARN) $(ASAN) -MMD -MP -o $@ $< $(filter %.o,$^) \
	    $(BUILD)/libllm.a $(LIBS)

# those of the writer share their beginning

$(filter $(BUILD)/unit/test_drain_%,$(UNIT)): $(BUILD)/obj/t/unit/drain.o

# and one of them loses its power

$(BUILD)/unit/test_drain_power: $(BUILD)/obj/t/unit/disk.o

# what fills databases is tested too

FILL := $(patsubst %.c,$(BUILD)/obj/%.o,$(filter-out t/bench/fill.c, \
          $(wildcard t/bench/fill*.c)))

$(BUILD)/unit/test_fill: $(FILL)

# what t/corpus.t feeds with recorded traffic

$(BUILD)/corpus/%: t/corpus/%.c $(BUILD)/libllm.a
	@mkdir -p $(@D)
	$(CC) $(WARN) $(ASAN) -MMD -MP -o $@ $< $(BUILD)/libllm.a $(LIBS)

# what scripts/fill runs

$(BUILD)/fill: $(wildcard t/bench/fill*.[ch]) $(PLAIN) \
               $(wildcard $(SRC)/*/llm*.h)
	@mkdir -p $(@D)
	$(CC) $(WARN) -O2 -g -o $@ $(filter %.c,$^) $(LIBS)

# how long the slices of a retention take

$(BUILD)/keep_bench: t/bench/keep_bench.c $(PLAIN) \
                     $(wildcard $(SRC)/*/llm*.h)
	@mkdir -p $(@D)
	$(CC) $(WARN) -O2 -g -o $@ $(filter %.c,$^) $(LIBS)

# ten million records through the writer into a database that has a bound

$(BUILD)/soak: t/bench/soak.c \
               $(filter-out t/bench/fill.c t/bench/fill_store.%, \
                   $(wildcard t/bench/fill*.[ch])) $(PLAIN) \
               $(wildcard $(SRC)/*/llm*.h)
	@mkdir -p $(@D)
	$(CC) $(WARN) -O2 -g -o $@ $(filter %.c,$^) $(LIBS)

# the same for tests, which need few rows: of what has been compiled already

$(BUILD)/corpus/fill: $(wildcard t/bench/fill*.[ch]) $(BUILD)/libllm.a
	@mkdir -p $(@D)
	$(CC) $(WARN) $(ASAN) -o $@ $(filter %.c,$^) $(BUILD)/libllm.a $(LIBS)

# the price of an exchange on a line, for scripts/test-prices

$(BUILD)/prices/%: t/prices/%.c $(BUILD)/libllm.a
	@mkdir -p $(@D)
	$(CC) $(WARN) $(ASAN) -MMD -MP -o $@ $< $(BUILD)/libllm.a $(LIBS)

# The ring's order of memory accesses is the thread sanitizer's to check.

$(BUILD)/tsan/test_ring_threads: \
    $(SRC)/ring/llm_ring.c $(SRC)/record/llm_crc32c.c

$(BUILD)/tsan/test_metrics_workers: \
    $(wildcard $(SRC)/ring/llm_metrics*.c $(SRC)/extract/llm_route*.c) \
    $(addprefix $(SRC)/,record/llm_record.c record/llm_text.c \
                        extract/llm_siphash.c extract/llm_percent.c)

$(BUILD)/tsan/%: t/unit/%.c t/unit/tap.h $(wildcard $(SRC)/ring/llm_*.h)
	@mkdir -p $(@D)
	$(CC) $(WARN) -O1 -g -fsanitize=thread -o $@ $(filter %.c,$^) -lpthread

# every order of what several processes do to the ring, with its own code

$(BUILD)/model/%: t/model/%.c t/unit/tap.h $(wildcard $(SRC)/ring/llm_*.[ch]) \
                  $(SRC)/record/llm_crc32c.c
	@mkdir -p $(@D)
	$(CC) $(WARN) -O1 -g -o $@ $< $(SRC)/record/llm_crc32c.c

# fuzz targets, for libFuzzer; and with a main() of their own, for the inputs
# that are kept

FUZZ_CC ?= clang
FUZZ    := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined \
           -fno-sanitize-recover=all
FUZZERS := $(patsubst t/fuzz/fuzz_%.c,%,$(wildcard t/fuzz/fuzz_*.c))

$(BUILD)/fuzz/obj/%.o: %.c
	@mkdir -p $(@D)
	@$(FUZZ_CC) $(WARN) $(FUZZ) -fsanitize=fuzzer-no-link -MMD -MP -c -o $@ $<

$(BUILD)/fuzz/libllm.a: $(PLAIN:%.c=$(BUILD)/fuzz/obj/%.o)
	@rm -f $@ && ar rcs $@ $^

$(BUILD)/fuzz/fuzz_%: t/fuzz/fuzz_%.c t/fuzz/fuzz.h $(BUILD)/fuzz/libllm.a
	@$(FUZZ_CC) $(WARN) $(FUZZ) -fsanitize=fuzzer -o $@ $< \
	    $(BUILD)/fuzz/libllm.a $(LIBS)

$(BUILD)/replay/%: t/fuzz/fuzz_%.c t/fuzz/fuzz.h t/fuzz/replay.c \
                   $(BUILD)/libllm.a
	@mkdir -p $(@D)
	$(CC) $(WARN) $(ASAN) -DCORPUS='"t/fuzz/corpus/$*.txt"' -o $@ $< \
	    t/fuzz/replay.c $(BUILD)/libllm.a $(LIBS)

# all that tests compile, so that no two of them do it at the same time

UNITS := $(UNIT) $(BUILD)/tsan/test_ring_threads \
         $(BUILD)/tsan/test_metrics_workers $(BUILD)/model/ring \
         $(FUZZERS:%=$(BUILD)/replay/%)

programs: $(UNITS) $(BUILD)/corpus/fill \
          $(patsubst t/%.c,$(BUILD)/%,$(wildcard t/corpus/*.c t/prices/*.c))

unit: $(UNITS)
	prove $(PROVE) -e '' $^


prove: module
	scripts/prove $(or $(T),t)


run:
	@scripts/install-deps run
	@$(MAKE) --no-print-directory module
	@scripts/demo start

stop:
	@scripts/demo stop


check: module
	@rc=0; \
	scripts/check-style || rc=1; \
	scripts/check-layers || rc=1; \
	scripts/check-docs || rc=1; \
	exit $$rc


test:
	@scripts/install-deps test prometheus
	@scripts/test


# The second nginx: its own folder, its own echo module.

next:
	@scripts/install-deps next
	@$(MAKE) --no-print-directory nginx BUILD=$(BUILD)/next \
	    NGINX_SRC=$(BUILD)/src-next/nginx \
	    NGX_ADD=--add-dynamic-module=$(CURDIR)/$(BUILD)/src-next/echo

# nginx with Prometheus and Alertmanager, and with VictoriaMetrics

test-alerts:
	@scripts/install-deps test prometheus
	@scripts/test build alerts


test-next:
	@scripts/install-deps test next
	@scripts/test next


# What the others do not see: the module linked into nginx, by another compiler

test-static:
	@scripts/test static

matrix:
	@scripts/matrix


# nginx with echo and the module linked in, under AddressSanitizer and
# UndefinedBehaviorSanitizer

SANITIZE  := -fsanitize=address,undefined \
             -fno-sanitize=alignment,nonnull-attribute

asan:
	@scripts/install-deps next
	@$(MAKE) --no-print-directory binary BUILD=$(BUILD)/asan \
	    NGINX_SRC=$(BUILD)/src-next/nginx \
	    ADD=--add-module LD_OPT='$(SANITIZE)' \
	    CC_OPT='-g -O1 -DNGX_DEBUG_PALLOC=1 $(SANITIZE)' \
	    NGX_ADD=--add-module=$(CURDIR)/$(BUILD)/src-next/echo

test-asan:
	@scripts/install-deps test
	@scripts/test asan

# The same for valgrind, of this distribution's nginx: each allocation of a pool
# is one of malloc() there.

MEMCHECK := BUILD=$(BUILD)/memcheck LD_OPT=

valgrind:
	@scripts/install-deps floor bench
	@$(MAKE) --no-print-directory binary $(MEMCHECK) \
	    NGINX_SRC=$(BUILD)/src-floor/nginx ADD=--add-module \
	    CC_OPT='-g -O1 -DNGX_DEBUG_PALLOC=1' \
	    NGX_ADD=--add-module=$(CURDIR)/$(BUILD)/src-floor/echo

test-valgrind:
	@scripts/install-deps test bench
	@scripts/test valgrind memcheck

# unit tests and the inputs that are kept, without sanitizers

memcheck:
	@$(MAKE) -s --no-print-directory watched $(MEMCHECK) ASAN='-O1 -g'

watched: $(UNIT) $(FUZZERS:%=$(BUILD)/replay/%)


fuzz:
	@scripts/install-deps test fuzz
	@$(MAKE) --no-print-directory fuzzers
	@t/fuzz/run.sh $(or $(SECONDS),60) $(or $(TARGET),$(FUZZERS))

fuzzers: $(patsubst %,$(BUILD)/fuzz/fuzz_%,$(or $(TARGET),$(FUZZERS)))


analyze: module
	@scripts/install-deps analyze
	@scripts/analyze $(WHAT)


faults: module
	@scripts/install-deps test
	@python3 t/faults/run.py $(T)


# the built-in table, which is committed: nothing else needs Node

prices:
	@scripts/update-prices $(VERSION)


# the dashboards, which are committed too

dashboards:
	@scripts/install-deps test
	@scripts/dashboards


bench:
	@scripts/install-deps bench peers
	@$(MAKE) --no-print-directory module
	@python3 t/bench/bench.py $(WHAT)


clean:
	rm -rf $(BUILD)


-include $(OBJ:.o=.d) $(addprefix $(BUILD)/obj/t/unit/,drain.d disk.d) \
         $(FILL:.o=.d) $(addsuffix .d,$(UNIT)) \
         $(PLAIN:%.c=$(BUILD)/fuzz/obj/%.d)

.PHONY: module nginx binary install programs unit prove run stop check \
        test test-alerts next test-next test-static matrix asan test-asan \
        valgrind test-valgrind memcheck watched fuzz fuzzers analyze faults \
        prices dashboards bench clean page listed FORCE
