# build/ngx_http_llm_monitor_module.so against the installed nginx
SRC   := ngx_http_llm_monitor_module
PLAIN := $(wildcard $(SRC)/record/*.c $(SRC)/extract/*.c \
           $(SRC)/ring/llm_*.c $(SRC)/store/*.c)
LIBS  := -lsqlite3 -lyajl -lz -lbrotlidec -lzstd -lpthread -lm
WARN  := -std=gnu11 -Wall -Wextra -Werror -Wpointer-arith -Wshadow \
         -Wno-unused-parameter -Wmissing-prototypes
UNIT  := $(patsubst t/unit/%.c,build/unit/%,$(wildcard t/unit/test_*.c))
OBJ   := $(patsubst %.c,build/obj/%.o,$(PLAIN))
ASAN  := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all

build/obj/%.o: %.c $(wildcard $(SRC)/*/llm*.h)
	@mkdir -p $(@D)
	$(CC) $(WARN) $(ASAN) -c -o $@ $<

build/libllm.a: $(OBJ)
	rm -f $@ && ar rcs $@ $^

build/unit/%: t/unit/%.c t/unit/tap.h build/libllm.a
	@mkdir -p $(@D)
	$(CC) $(WARN) $(ASAN) -o $@ $< build/libllm.a $(LIBS)

unit: $(UNIT)
	prove -e '' $(UNIT)

.PHONY: unit
