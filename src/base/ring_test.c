#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <pthread.h>
#include <sched.h>

#include <cmocka.h>

#include "base/ring.h"

enum { SLOTS = 64, WIDTH = 64, WORDS = WIDTH / 8 };

struct slot {
    uint64_t word[WORDS];
};

static alignas(CACHE_LINE) struct slot memory[SLOTS];

static struct slot slot_of(uint64_t v) {
    struct slot s;
    for (uint64_t i = 0; i < WORDS; i++) s.word[i] = v * 0x9e3779b97f4a7c15u + i;
    return s;
}

static void a_ring_is_a_queue_like_the_naive_one(void **state) {
    (void)state;
    const unsigned seed = 42;
    print_message("seed %u\n", seed);
    srand(seed);
    struct ring r;
    uint64_t written = 0, read = 0, refused = 0; /* the naive model: two counters */
    ring_init(&r, memory, SLOTS, WIDTH);
    for (int step = 0; step < 200000; step++) {
        if (rand() % 2) {
            struct slot group[5];
            size_t n = 1 + (size_t)rand() % 5;
            for (size_t i = 0; i < n; i++) group[i] = slot_of(written + i);
            bool fits = written - read + n <= SLOTS;
            assert_int_equal(ring_put(&r, group, n), fits);
            if (fits) written += n;
            if (!fits) refused += n;
        } else {
            const void *at = NULL;
            size_t n = ring_peek(&r, &at);
            assert_int_equal(n > 0, written > read);
            assert_true(n <= written - read);
            size_t take = n ? (size_t)rand() % (n + 1) : 0;
            for (size_t i = 0; i < take; i++) {
                struct slot wanted = slot_of(read + i);
                assert_memory_equal((const struct slot *)at + i, &wanted, WIDTH);
            }
            ring_drop(&r, take);
            read += take;
        }
        assert_int_equal(ring_unread(&r), written - read);
        assert_int_equal(ring_refused(&r), refused);
    }
    assert_true(refused > 0 && read > 1000);
}

static void a_full_ring_refuses_the_whole_group_and_keeps_what_it_has(void **state) {
    (void)state;
    struct ring r;
    struct slot group[SLOTS];
    const void *at = NULL;
    for (uint64_t i = 0; i < SLOTS; i++) group[i] = slot_of(i);
    ring_init(&r, memory, SLOTS, WIDTH);
    assert_true(ring_put(&r, group, SLOTS));
    assert_false(ring_put(&r, group, 1));
    assert_int_equal(ring_peek(&r, &at), SLOTS);
    assert_memory_equal(at, group, sizeof group);
    ring_drop(&r, 3);
    assert_false(ring_put(&r, group, 4));
    assert_true(ring_put(&r, group, 3));
    assert_int_equal(ring_refused(&r), 5);
}

struct job {
    struct ring ring;
    uint64_t count;
};

static void *write_all(void *arg) {
    struct job *job = arg;
    for (uint64_t next = 0; next < job->count;) {
        struct slot group[3];
        size_t n = 1 + next % 3;
        for (size_t i = 0; i < n; i++) group[i] = slot_of(next + i);
        if (ring_put(&job->ring, group, n)) {
            next += n;
        } else {
            sched_yield();
        }
    }
    return NULL;
}

/* Under the thread sanitizer this is the proof that the two sides need no lock. */
static void two_threads_pass_every_slot_once_and_in_order(void **state) {
    (void)state;
    static struct job job;
    pthread_t writer;
    job.count = 300000;
    ring_init(&job.ring, memory, SLOTS, WIDTH);
    assert_int_equal(pthread_create(&writer, NULL, write_all, &job), 0);
    uint64_t next = 0;
    while (next < job.count) {
        const void *at = NULL;
        size_t n = ring_peek(&job.ring, &at);
        for (size_t i = 0; i < n; i++) {
            /* copied here, where the sanitizer watches: cmocka's own code is not instrumented */
            struct slot wanted = slot_of(next + i), got = ((const struct slot *)at)[i];
            assert_memory_equal(&got, &wanted, WIDTH);
        }
        ring_drop(&job.ring, n);
        next += n;
        if (n == 0) sched_yield();
    }
    pthread_join(writer, NULL);
    assert_true(next >= job.count);
}

static void the_two_sides_write_on_different_cache_lines(void **state) {
    (void)state;
    assert_true(offsetof(struct ring, read) - offsetof(struct ring, written) >= CACHE_LINE);
    assert_true(offsetof(struct ring, slot) - offsetof(struct ring, read) >= CACHE_LINE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_ring_is_a_queue_like_the_naive_one),
        cmocka_unit_test(a_full_ring_refuses_the_whole_group_and_keeps_what_it_has),
        cmocka_unit_test(two_threads_pass_every_slot_once_and_in_order),
        cmocka_unit_test(the_two_sides_write_on_different_cache_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
