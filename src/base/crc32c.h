/* crc32c.h: the checksum of stored blocks: CRC-32C (Castagnoli), RFC 3720 appendix B.4.
 *
 * By the processor's instruction where it has one, by a table elsewhere; equal bits.
 */
#ifndef FATHOM_BASE_CRC32C_H
#define FATHOM_BASE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* The checksum after n more bytes; start from 0. */
uint32_t crc32c(uint32_t before, const void *bytes, size_t n);
/* The same by the table, always: for tests and processors without the instruction. */
uint32_t crc32c_table(uint32_t before, const void *bytes, size_t n);

#endif
