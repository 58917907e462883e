
/*
 * Copyright (C) llm_monitor contributors
 *
 * Large bodies: files of the spool that become rows of zstd frames, piece by
 * piece between the batches, so that a body of 100 MB delays nobody.
 */


#ifndef _LLM_FRAMES_H_INCLUDED_
#define _LLM_FRAMES_H_INCLUDED_


#include "llm_writer.h"


/* raw bytes of one transaction */
#define LLM_FRAMES_SLICE  (4 * LLM_FRAME_RAW)


/*
 * Stores the next piece of the oldest body that is still to be stored; the
 * file is removed after its last piece is committed.  LLM_OK; LLM_AGAIN: there
 * is nothing to store; LLM_ERROR: rolled back.
 */
int llm_frames_slice(llm_writer_t *w);


#endif /* _LLM_FRAMES_H_INCLUDED_ */
