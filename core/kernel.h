/* Loops that are a program's cost are compiled for what the processor has. Such functions are to be static: what chooses among them has a name that all
 * programs share. */
#ifndef LSDN_CORE_KERNEL_H
#define LSDN_CORE_KERNEL_H

#include <stdint.h>

#if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define LSDN_KERNEL __attribute__((target_clones("avx512f", "avx2", "default"), optimize("O3")))
/* The same where multiplications and additions must round one by one, as they do everywhere else. */
#define LSDN_KERNEL_UNFUSED __attribute__((target_clones("avx512f", "avx2", "default"), optimize("O3", "fp-contract=off")))
#else
#define LSDN_KERNEL
#define LSDN_KERNEL_UNFUSED
#endif

/* Where compilers leave in memory what belongs into registers, a kernel says so with vectors; its plain loop does what is left of a vector, and all where
 * the compiler knows none. */
#if defined(__GNUC__)
#define LSDN_VECTORS
enum { LSDN_VECTOR = 16 };
typedef float vector_float __attribute__((vector_size(4 * 16)));
typedef int32_t vector_int __attribute__((vector_size(4 * 16)));
#endif

#endif
