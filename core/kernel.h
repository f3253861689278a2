/* Loops that are a program's cost are compiled for what the processor has. Such functions are to be static: what chooses among them has a name that all
 * programs share. */
#ifndef LSDN_CORE_KERNEL_H
#define LSDN_CORE_KERNEL_H

#if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define LSDN_KERNEL __attribute__((target_clones("avx512f", "avx2", "default"), optimize("O3")))
/* The same where multiplications and additions must round one by one, as they do everywhere else. */
#define LSDN_KERNEL_UNFUSED __attribute__((target_clones("avx512f", "avx2", "default"), optimize("O3", "fp-contract=off")))
#else
#define LSDN_KERNEL
#define LSDN_KERNEL_UNFUSED
#endif

#endif
