
/*
 * Copyright (C) llm_monitor contributors
 *
 * CRC-32C (Castagnoli; RFC 3720, appendix B.4), which guards what the ring and
 * the spool segments carry, and tells one text from another.  Not CRC-32
 * (IEEE): processors compute this one at eight bytes an instruction.
 */


#ifndef _LLM_CRC32C_H_INCLUDED_
#define _LLM_CRC32C_H_INCLUDED_


#include "llm.h"


/* Of n more bytes after those that gave crc; crc is 0 at first. */
uint32_t llm_crc32c(uint32_t crc, const uint8_t *p, size_t n);

/* The same from a table, where the processor has no instruction for it. */
uint32_t llm_crc32c_table(uint32_t crc, const uint8_t *p, size_t n);

/*
 * Two of them, one of the words of eight bytes that are even and one of those
 * that are odd, at the price of one; pos: bytes that came before.
 */
void llm_crc32c_pair(uint32_t *crc, uint64_t pos, const uint8_t *p, size_t n);


#endif /* _LLM_CRC32C_H_INCLUDED_ */
