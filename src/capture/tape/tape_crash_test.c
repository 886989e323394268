/* Faults S1, S2, S3, S6, S7, S9 on the writer: after whatever happens, opening the tape again gives
 * a prefix that holds every acknowledged event, bit for bit, and the tape can be gone on with. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "capture/tape/tape_testing.h"

/* --- a disk that fails ---------------------------------------------------------------------- */

enum fault { NO_FAULT, CRASH, POWER_LOSS, DISK_FULL_ONCE, SYNC_EIO_ONCE, WRITE_EIO_ONCE, STUTTER };

enum { UNSYNCED_MAX = 512, SECTOR = 512 };

struct disk {
    enum fault fault;
    uint64_t seed;
    long ops, fail_at; /* the fail_at-th call fails */
    bool dead;
    int unsynced;
    struct {
        int fd;
        off_t at;
        size_t n;
    } range[UNSYNCED_MAX];
};

/* Sectors that no sync has confirmed are lost or kept, each for itself. */
static void power_lost(struct disk *d) {
    static const unsigned char zero[SECTOR];
    for (int i = 0; i < d->unsynced; i++) {
        off_t end = d->range[i].at + (off_t)d->range[i].n;
        for (off_t at = d->range[i].at / SECTOR * SECTOR; at < end; at += SECTOR) {
            if (testing_random(d->seed + (uint64_t)at) & 1) continue;
            off_t from = at < d->range[i].at ? d->range[i].at : at;
            off_t to = at + SECTOR < end ? at + SECTOR : end;
            ssize_t w = pwrite(d->range[i].fd, zero, (size_t)(to - from), from);
            assert_int_equal(w, to - from);
        }
    }
}

/* True if this call must fail. */
static bool strikes(struct disk *d) {
    if (d->dead) return true;
    if (d->ops++ != d->fail_at || d->fault == NO_FAULT || d->fault == STUTTER) return false;
    if (d->fault == POWER_LOSS) power_lost(d);
    d->dead = d->fault == CRASH || d->fault == POWER_LOSS;
    return true;
}

static int fault_errno(const struct disk *d) { return d->fault == DISK_FULL_ONCE ? ENOSPC : EIO; }

static ssize_t disk_pwrite(void *ctx, int fd, const void *from, size_t n, off_t at) {
    struct disk *d = ctx;
    bool was_dead = d->dead;
    if (d->fault == STUTTER) {
        uint64_t r = testing_random(d->seed + (uint64_t)d->ops++);
        if (r % 3 == 0) {
            errno = EINTR;
            return -1;
        }
        size_t some = 1 + (size_t)(r % 700);
        return pwrite(fd, from, n < some ? n : some, at);
    }
    if (strikes(d)) { /* a part of it may have been written */
        size_t part = (size_t)(testing_random(d->seed + (uint64_t)d->ops) % (n + 1));
        if (!was_dead && d->fault != SYNC_EIO_ONCE) {
            ssize_t w = pwrite(fd, from, part, at);
            assert_int_equal(w, part);
        }
        errno = fault_errno(d);
        return -1;
    }
    assert_true(d->unsynced < UNSYNCED_MAX);
    d->range[d->unsynced].fd = fd;
    d->range[d->unsynced].at = at;
    d->range[d->unsynced++].n = n;
    return pwrite(fd, from, n, at);
}

static int disk_sync(void *ctx, int fd) {
    struct disk *d = ctx;
    if (d->fault != DISK_FULL_ONCE && strikes(d)) {
        errno = EIO;
        return -1;
    }
    int kept = 0;
    for (int i = 0; i < d->unsynced; i++) {
        if (d->range[i].fd != fd) d->range[kept++] = d->range[i];
    }
    d->unsynced = kept;
    return fdatasync(fd);
}

static int disk_open(void *ctx, int dir, const char *name, int flags) {
    struct disk *d = ctx;
    if (strikes(d)) {
        errno = fault_errno(d);
        return -1;
    }
    return tape_io_system.open(NULL, dir, name, flags);
}
static int disk_allocate(void *ctx, int fd, off_t from, off_t n) {
    struct disk *d = ctx;
    if (strikes(d)) {
        errno = fault_errno(d);
        return -1;
    }
    return tape_io_system.allocate(NULL, fd, from, n);
}
static int disk_truncate(void *ctx, int fd, off_t size) {
    struct disk *d = ctx;
    if (d->fault != DISK_FULL_ONCE && strikes(d)) {
        errno = fault_errno(d);
        return -1;
    }
    return ftruncate(fd, size);
}
static int disk_unlink(void *ctx, int dir, const char *name) {
    struct disk *d = ctx;
    if (d->fault != DISK_FULL_ONCE && strikes(d)) {
        errno = fault_errno(d);
        return -1;
    }
    return unlinkat(dir, name, 0);
}

static struct tape_io disk_io(struct disk *d) {
    return (struct tape_io){.ctx = d,
        .open = disk_open,
        .pwrite = disk_pwrite,
        .sync = disk_sync,
        .allocate = disk_allocate,
        .truncate = disk_truncate,
        .unlink = disk_unlink};
}

/* --- a session: groups of events, each acknowledged by a sync --------------------------------- */

struct session {
    const struct testing_events *ev;
    struct tape_writer_options opt;
    uint64_t acknowledged; /* events */
    uint64_t failures;
};

static bool instruments_add(struct tape_writer *w) {
    struct err_info e;
    for (size_t i = 0; i < TESTING_ROWS; i++) {
        struct instrument in = testing_instrument(i);
        if (tape_writer_instrument(w, &in, &e) != ERR_OK) return false;
    }
    return true;
}

/* Appends from where the tape ends. With `retry` a failed call is made again: the disk has space
 * again. Without, the first failure ends the session. */
static bool session_write(struct session *s, struct tape_writer *w, bool retry) {
    struct err_info e;
    while (tape_writer_events(w) < s->ev->events) {
        size_t at = testing_slot_of(s->ev, tape_writer_events(w));
        size_t n = testing_whole(s->ev, at, 1 + testing_random(s->ev->seed + at) % 60);
        bool ok = tape_writer_append(w, s->ev->slot + at, n, &e) == ERR_OK;
        ok = ok && tape_writer_sync(w, &e) == ERR_OK;
        if (ok)
            s->acknowledged = tape_writer_events(w);
        else
            s->failures++;
        if (!ok && !retry) return false;
        assert_true(s->failures < 3);
    }
    return true;
}

static bool session_run(struct session *s, const char *path, const struct tape_io *io, bool retry) {
    struct err_info e;
    struct tape_writer *w = NULL;
    err_t code = tape_writer_open_io(&w, path, &s->opt, io, NULL, &e);
    if (code != ERR_OK && retry) {
        s->failures++;
        code = tape_writer_open_io(&w, path, &s->opt, io, NULL, &e);
    }
    if (code != ERR_OK) return false;
    bool ok = instruments_add(w) && session_write(s, w, retry);
    return tape_writer_close(w, &e) == ERR_OK && ok;
}

/* Slots of the first `events` events. */
static size_t prefix_slots(const struct testing_events *ev, uint64_t events) {
    return events == ev->events ? ev->slots : testing_slot_of(ev, events);
}

/* What is on the tape is a prefix with all that was acknowledged; then the rest is written. */
static void recover(struct session *s, const char *path) {
    struct err_info e;
    struct tape_writer *w;
    struct stat st;
    char first[128];
    snprintf(first, sizeof first, "%.100s/00000000.tape", path);
    if (stat(first, &st) == 0) { /* killed before the tape was there at all, else readable */
        struct tape_reader *r;
        struct tape_reader_options opt = {.torn_ok = true};
        if (tape_reader_open(&r, path, &opt, &e) != ERR_OK) fail_msg("%s", e.text);
        uint64_t events = tape_reader_events(r);
        tape_reader_close(r);
        assert_true(events >= s->acknowledged);
        testing_expect(path, s->ev, 0, prefix_slots(s->ev, events));
    }
    if (tape_writer_open(&w, path, &s->opt, NULL, &e) != ERR_OK) fail_msg("%s", e.text);
    assert_true(tape_writer_events(w) >= s->acknowledged);
    assert_true(instruments_add(w));
    assert_true(session_write(s, w, false));
    assert_int_equal(tape_writer_close(w, &e), ERR_OK);
    testing_expect(path, s->ev, 0, s->ev->slots);
    testing_expect_valid(path, s->ev->events);
}

static long operations(struct session *s, const char *path) {
    struct disk d = {.fault = NO_FAULT};
    struct tape_io io = disk_io(&d);
    assert_true(session_run(s, path, &io, false));
    testing_remove(path);
    s->acknowledged = 0;
    return d.ops;
}

static void strike_everywhere(enum fault fault, bool raw, const char *name) {
    struct testing_events ev = testing_make(41 + raw, 1500);
    struct session s = {.ev = &ev, .opt = {.raw = raw, .segment_bytes = 16 << 10}};
    char path[64];
    testing_path(path, name);
    long ops = operations(&s, path);
    assert_true(ops > 60);
    for (long k = 0; k < ops; k++) {
        struct disk d = {.fault = fault, .fail_at = k, .seed = (uint64_t)k * 977};
        struct tape_io io = disk_io(&d);
        s.acknowledged = s.failures = 0;
        bool whole = session_run(&s, path, &io, fault == DISK_FULL_ONCE);
        if (fault == DISK_FULL_ONCE && whole) {
            testing_expect(path, &ev, 0, ev.slots);
            testing_expect_valid(path, ev.events);
        }
        recover(&s, path);
        testing_remove(path);
    }
    testing_free(&ev);
}

static void killed_at_every_call_the_tape_keeps_what_was_acknowledged(void **state) {
    (void)state;
    strike_everywhere(CRASH, false, "kill");
    strike_everywhere(CRASH, true, "kill");
}

static void power_loss_that_drops_unsynced_sectors_loses_nothing_acknowledged(void **state) {
    (void)state;
    strike_everywhere(POWER_LOSS, false, "power");
    strike_everywhere(POWER_LOSS, true, "power");
}

static void full_disk_at_every_call_is_waited_out(void **state) {
    (void)state;
    strike_everywhere(DISK_FULL_ONCE, false, "full");
}

static void disk_error_at_every_call_ends_the_writer_but_not_the_tape(void **state) {
    (void)state;
    strike_everywhere(WRITE_EIO_ONCE, false, "eio");
}

static void failed_fsync_is_never_retried(void **state) {
    (void)state;
    struct testing_events ev = testing_make(3, 300);
    struct err_info e;
    char path[64];
    testing_path(path, "fsync");
    struct disk d = {.fault = NO_FAULT};
    struct tape_io io = disk_io(&d);
    struct tape_writer_options opt = {.segment_bytes = 64 << 10};
    struct tape_writer *w;
    assert_int_equal(tape_writer_open_io(&w, path, &opt, &io, NULL, &e), ERR_OK);
    assert_true(instruments_add(w));
    assert_int_equal(tape_writer_append(w, ev.slot, testing_whole(&ev, 0, 50), &e), ERR_OK);
    d.fault = SYNC_EIO_ONCE;
    d.fail_at = d.ops + 2; /* table block, event block, fdatasync */
    assert_int_equal(tape_writer_sync(w, &e), ERR_RESOURCE);
    assert_non_null(strstr(e.text, "fdatasync"));
    long ops = d.ops;
    assert_int_equal(tape_writer_sync(w, &e), ERR_RESOURCE);
    assert_int_equal(tape_writer_append(w, ev.slot, 1, &e), ERR_RESOURCE);
    assert_int_equal(tape_writer_close(w, &e), ERR_RESOURCE);
    assert_int_equal(d.ops, ops);
    testing_remove(path);
    testing_free(&ev);
}

static void short_writes_and_interrupts_change_nothing(void **state) {
    (void)state;
    struct testing_events ev = testing_make(17, 1500);
    struct session s = {.ev = &ev, .opt = {.segment_bytes = 32 << 10}};
    char path[64];
    testing_path(path, "stutter");
    struct disk d = {.fault = STUTTER, .seed = 5};
    struct tape_io io = disk_io(&d);
    assert_true(session_run(&s, path, &io, false));
    testing_expect(path, &ev, 0, ev.slots);
    testing_expect_valid(path, ev.events);
    testing_remove(path);
    testing_free(&ev);
}

/* --- the real system -------------------------------------------------------------------------- */

static void file_size_limit_is_a_full_disk(void **state) {
    (void)state;
    struct testing_events ev = testing_make(9, 4000);
    struct err_info e;
    struct rlimit old, tight = {40000, 40000};
    char path[64];
    testing_path(path, "limit");
    struct tape_writer_options opt = {.raw = true};
    struct tape_writer *w = testing_writer(path, &opt);
    void (*before)(int) = signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    tight.rlim_max = old.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
    uint64_t acknowledged = 0;
    err_t code = ERR_OK;
    for (size_t at = 0; at < ev.slots && code == ERR_OK;) {
        size_t n = testing_whole(&ev, at, 40);
        code = tape_writer_append(w, ev.slot + at, n, &e);
        if (code == ERR_OK) code = tape_writer_sync(w, &e);
        if (code == ERR_OK) acknowledged = tape_writer_events(w);
        at += n;
    }
    assert_int_equal(code, ERR_RESOURCE);
    assert_true(acknowledged > 0);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    signal(SIGXFSZ, before);
    assert_int_equal(tape_writer_sync(w, &e), ERR_OK); /* there is space again: nothing was lost */
    uint64_t events = tape_writer_events(w);
    assert_int_equal(tape_writer_close(w, &e), ERR_OK);
    assert_true(events >= acknowledged);
    testing_expect(path, &ev, 0, prefix_slots(&ev, events));
    testing_expect_valid(path, events);
    testing_remove(path);
    testing_free(&ev);
}

/* The child tells each acknowledged count through the pipe until it is killed. */
static void child_write(const char *path, const struct testing_events *ev, int to) {
    struct err_info e;
    struct tape_writer *w;
    struct tape_writer_options opt = {.segment_bytes = 32 << 10};
    if (tape_writer_open(&w, path, &opt, NULL, &e) != ERR_OK || !instruments_add(w)) _exit(1);
    for (size_t at = 0; at < ev->slots;) {
        size_t n = testing_whole(ev, at, 30);
        if (tape_writer_append(w, ev->slot + at, n, &e) || tape_writer_sync(w, &e)) _exit(1);
        at += n;
        uint64_t events = tape_writer_events(w);
        if (write(to, &events, sizeof events) != (ssize_t)sizeof events) _exit(1);
    }
    for (;;) pause();
}

static void sigkill_at_any_moment_keeps_what_was_acknowledged(void **state) {
    (void)state;
    struct testing_events ev = testing_make(23, 3000);
    for (int k = 0; k < 12; k++) {
        char path[64];
        int pipes[2];
        testing_path(path, "sigkill");
        assert_int_equal(pipe(pipes), 0);
        pid_t child = fork();
        if (child == 0) child_write(path, &ev, pipes[1]);
        assert_true(child > 0);
        close(pipes[1]);
        struct session s = {.ev = &ev, .opt = {.segment_bytes = 32 << 10}};
        uint64_t events;
        int seen = 0, until = 1 + (int)(testing_random((uint64_t)k) % 60);
        while (seen < until && read(pipes[0], &events, sizeof events) == (ssize_t)sizeof events) {
            s.acknowledged = events;
            seen++;
        }
        assert_int_equal(kill(child, SIGKILL), 0);
        assert_int_equal(waitpid(child, NULL, 0), child);
        while (read(pipes[0], &events, sizeof events) == (ssize_t)sizeof events) {
            s.acknowledged = events;
        }
        close(pipes[0]);
        recover(&s, path);
        testing_remove(path);
    }
    testing_free(&ev);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(killed_at_every_call_the_tape_keeps_what_was_acknowledged),
        cmocka_unit_test(power_loss_that_drops_unsynced_sectors_loses_nothing_acknowledged),
        cmocka_unit_test(full_disk_at_every_call_is_waited_out),
        cmocka_unit_test(disk_error_at_every_call_ends_the_writer_but_not_the_tape),
        cmocka_unit_test(failed_fsync_is_never_retried),
        cmocka_unit_test(short_writes_and_interrupts_change_nothing),
        cmocka_unit_test(file_size_limit_is_a_full_disk),
        cmocka_unit_test(sigkill_at_any_moment_keeps_what_was_acknowledged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
