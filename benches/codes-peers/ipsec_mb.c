/*
 * HMAC-SHA1 codes by intel-ipsec-mb: bursts of jobs, the key's blocks hashed beforehand.
 *
 * Started by benches/codes, which compiles it. Reads lines of two numbers, the first counter and how many codes; answers each by the
 * nanoseconds it took, and by the codes, weighted by their place and added up, so that wrong ones are noticed. Of the library's
 * architectures, and with and without the SHA extensions, the one that is fastest here is taken; stderr has it.
 */
#define _GNU_SOURCE
#include <intel-ipsec-mb.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BURST IMB_MAX_BURST_SIZE

static IMB_JOB jobs[BURST];
static uint8_t messages[BURST][8];
static uint8_t tags[BURST][20];
static uint8_t ipad[20] __attribute__((aligned(64)));
static uint8_t opad[20] __attribute__((aligned(64)));

static uint64_t now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* The secret of the benchmark: bytes from 1 to 20. */
static void prepare(IMB_MGR *mgr)
{
	uint8_t block[64];
	for (int i = 0; i < 64; i++)
		block[i] = (i < 20 ? i + 1 : 0) ^ 0x36;
	IMB_SHA1_ONE_BLOCK(mgr, block, ipad);
	for (int i = 0; i < 64; i++)
		block[i] ^= 0x36 ^ 0x5c;
	IMB_SHA1_ONE_BLOCK(mgr, block, opad);
	for (int i = 0; i < BURST; i++) {
		IMB_JOB *job = &jobs[i];
		memset(job, 0, sizeof *job);
		job->cipher_mode = IMB_CIPHER_NULL;
		job->hash_alg = IMB_AUTH_HMAC_SHA_1;
		job->chain_order = IMB_ORDER_HASH_CIPHER;
		job->cipher_direction = IMB_DIR_ENCRYPT;
		job->src = messages[i];
		job->msg_len_to_hash_in_bytes = 8;
		job->auth_tag_output = tags[i];
		job->auth_tag_output_len_in_bytes = 20;
		job->u.HMAC._hashed_auth_key_xor_ipad = ipad;
		job->u.HMAC._hashed_auth_key_xor_opad = opad;
	}
}

static uint64_t codes(IMB_MGR *mgr, uint64_t first, uint32_t count, uint32_t *numbers)
{
	for (uint32_t done = 0; done < count;) {
		uint32_t n = count - done < BURST ? count - done : BURST;
		for (uint32_t i = 0; i < n; i++) {
			uint64_t counter = __builtin_bswap64(first + done + i);
			memcpy(messages[i], &counter, 8);
			jobs[i].status = 0;
		}
		if (IMB_SUBMIT_HASH_BURST_NOCHECK(mgr, jobs, n, IMB_AUTH_HMAC_SHA_1) != n) {
			fprintf(stderr, "intel-ipsec-mb did less than it was asked for\n");
			exit(1);
		}
		for (uint32_t i = 0; i < n; i++) {
			uint32_t word;
			memcpy(&word, tags[i] + (tags[i][19] & 15), 4);
			numbers[done + i] = (__builtin_bswap32(word) & 0x7fffffff) % 1000000;
		}
		done += n;
	}
	return 0;
}

static IMB_MGR *manager(unsigned which)
{
	IMB_MGR *mgr = alloc_mb_mgr(which & 1 ? IMB_FLAG_SHANI_OFF : 0);
	uint64_t avx512 = IMB_FEATURE_AVX512F | IMB_FEATURE_AVX512BW | IMB_FEATURE_AVX512VL;
	if (!mgr)
		return NULL;
	if (which >> 1 == 0)
		init_mb_mgr_sse(mgr);
	else if (which >> 1 == 1 && mgr->features & IMB_FEATURE_AVX2)
		init_mb_mgr_avx2(mgr);
	else if (which >> 1 == 2 && (mgr->features & avx512) == avx512)
		init_mb_mgr_avx512(mgr);
	else
		return NULL;
	return imb_get_errno(mgr) ? NULL : mgr;
}

int main(void)
{
	static const char *const names[] = {"sse", "sse without sha-ni", "avx2", "avx2 without sha-ni", "avx512", "avx512 without sha-ni"};
	static uint32_t numbers[1 << 20];
	IMB_MGR *best = NULL;
	uint64_t shortest = UINT64_MAX;
	unsigned chosen = 0;
	for (unsigned which = 0; which < 6; which++) {
		IMB_MGR *mgr = manager(which);
		if (!mgr)
			continue;
		prepare(mgr);
		uint64_t best_of = UINT64_MAX;
		for (int turn = 0; turn < 9; turn++) {
			uint64_t start = now();
			codes(mgr, 1, 16384, numbers);
			uint64_t took = now() - start;
			if (took < best_of)
				best_of = took;
		}
		fprintf(stderr, "intel-ipsec-mb, %-22s %6.1f ns a code\n", names[which], (double)best_of / 16384);
		if (best_of < shortest) {
			shortest = best_of;
			best = mgr;
			chosen = which;
		}
	}
	if (!best)
		return 1;
	fprintf(stderr, "intel-ipsec-mb %s: %s\n", imb_get_version_str(), names[chosen]);
	prepare(best);
	uint64_t first;
	uint32_t count;
	while (scanf("%" SCNu64 " %" SCNu32, &first, &count) == 2 && count <= 1 << 20) {
		uint64_t start = now();
		codes(best, first, count, numbers);
		uint64_t took = now() - start;
		uint64_t sum = 0;
		for (uint32_t i = 0; i < count; i++)
			sum += (uint64_t)numbers[i] * (i + 1);
		printf("%" PRIu64 " %" PRIu64 "\n", took, sum);
		fflush(stdout);
	}
	return 0;
}
