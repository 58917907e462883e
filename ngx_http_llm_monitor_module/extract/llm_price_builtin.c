
/*
 * Copyright (C) llm_monitor contributors
 */


#include "llm_price_builtin.h"


const char  llm_price_builtin_text[] =
#include "llm_price_builtin.inc"
;
