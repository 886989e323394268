#include "base/counters.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "base/crc32c.h"

static const char magic[8] = "FATHCNT";

enum { PAGE_VERSION = 1 };

struct page_head {
    char magic[8];
    uint32_t version, count;
    uint32_t rows_crc, pid;
    uint64_t pad[5];
};
_Static_assert(sizeof(struct page_head) == 64, "shared with other processes");

struct page_row {
    char name[COUNTER_NAME_MAX], help[COUNTER_HELP_MAX], unit[COUNTER_UNIT_MAX];
    uint32_t kind, pad[3];
};
_Static_assert(sizeof(struct page_row) == 192, "shared with other processes");

static size_t page_bytes(size_t count) {
    return sizeof(struct page_head) + count * (sizeof(struct page_row) + sizeof(int64_t));
}

static const struct page_row *row_of(const struct counters *c, size_t id) {
    CHECK(id < c->count);
    return (const struct page_row *)(const void *)((const char *)c->page +
                                                   sizeof(struct page_head)) +
           id;
}

static void point(struct counters *c, void *page, size_t count) {
    c->page = page;
    c->count = count;
    c->bytes = page_bytes(count);
    c->value = (_Atomic int64_t *)(void *)((char *)page + sizeof(struct page_head) +
                                           count * sizeof(struct page_row));
}

static void put_text(char *to, size_t size, const char *from) {
    size_t n = strlen(from);
    CHECK(n < size);
    memcpy(to, from, n);
}

static void check_row(const struct counter_row *table, size_t i) {
    const char *name = table[i].name;
    CHECK(name[0] != 0);
    CHECK(name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_")] == 0);
    for (size_t k = 0; k < i; k++) CHECK(strcmp(table[k].name, name) != 0);
}

static void fill(struct counters *c, const struct counter_row *table) {
    struct page_head *head = c->page;
    struct page_row *row = (struct page_row *)(void *)(head + 1);
    for (size_t i = 0; i < c->count; i++) {
        check_row(table, i);
        put_text(row[i].name, sizeof row[i].name, table[i].name);
        put_text(row[i].help, sizeof row[i].help, table[i].help);
        put_text(row[i].unit, sizeof row[i].unit, table[i].unit);
        row[i].kind = (uint32_t)table[i].kind;
    }
    memcpy(head->magic, magic, sizeof magic);
    head->count = (uint32_t)c->count;
    head->pid = (uint32_t)getpid();
    head->rows_crc = crc32c(0, row, c->count * sizeof *row);
    /* last, so that a reader never takes a page that is still being filled */
    __atomic_store_n(&head->version, PAGE_VERSION, __ATOMIC_RELEASE);
}

/* The lock ends with the process that holds it: a file without one is a dead process's. */
static err_t open_file(const char *path, size_t bytes, int *out, struct err_info *e) {
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (fd < 0) return err_set_errno(e, errno, "counter page %s", path);
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        close(fd);
        return err_set(e, ERR_RESOURCE,
            "counter page %s belongs to a running process: stop it or choose another path", path);
    }
    if (ftruncate(fd, 0) != 0 || ftruncate(fd, (off_t)bytes) != 0) {
        err_set_errno(e, errno, "counter page %s", path);
        close(fd);
        return ERR_RESOURCE;
    }
    *out = fd;
    return ERR_OK;
}

err_t counters_open(struct counters *c, const struct counter_row *table, size_t rows,
    const char *path, struct err_info *e) {
    int fd = -1;
    size_t bytes = page_bytes(rows);
    CHECK(rows > 0 && rows <= COUNTERS_MAX);
    memset(c, 0, sizeof *c);
    if (path) {
        if (strlen(path) >= sizeof c->path) return err_set(e, ERR_USAGE, "%s: too long", path);
        err_t err = open_file(path, bytes, &fd, e);
        if (err) return err;
        strcpy(c->path, path);
    }
    int flags = path ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS;
    void *page = mmap(NULL, bytes, PROT_READ | PROT_WRITE, flags, fd, 0);
    if (page == MAP_FAILED) {
        err_t err = err_set_errno(e, errno, "counter page of %zu bytes", bytes);
        if (fd >= 0) close(fd);
        return err;
    }
    point(c, page, rows);
    c->lock_fd = fd;
    c->owner = true;
    fill(c, table);
    return ERR_OK;
}

static err_t check_page(const void *page, size_t bytes, const char *path, struct err_info *e) {
    const struct page_head *head = page;
    bool fits = bytes >= sizeof *head && memcmp(head->magic, magic, sizeof magic) == 0;
    if (!fits) return err_set(e, ERR_INPUT, "%s is no counter page", path);
    uint32_t version = __atomic_load_n(&head->version, __ATOMIC_ACQUIRE);
    if (version != PAGE_VERSION) {
        return err_set(e, ERR_INPUT, "%s: counter page version %u, this program reads %d", path,
            version, PAGE_VERSION);
    }
    bool whole = head->count > 0 && head->count <= COUNTERS_MAX &&
                 bytes == page_bytes(head->count) &&
                 head->rows_crc == crc32c(0, head + 1, head->count * sizeof(struct page_row));
    return whole ? ERR_OK : err_set(e, ERR_INPUT, "%s: the counter page is damaged", path);
}

err_t counters_attach(struct counters *c, const char *path, struct err_info *e) {
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return err_set_errno(e, errno, "counter page %s", path);
    if (fstat(fd, &st) != 0 || st.st_size <= 0 || (size_t)st.st_size > page_bytes(COUNTERS_MAX)) {
        close(fd);
        return err_set(e, ERR_INPUT, "%s is no counter page", path);
    }
    size_t bytes = (size_t)st.st_size;
    void *page = mmap(NULL, bytes, PROT_READ, MAP_SHARED, fd, 0);
    int bad = page == MAP_FAILED ? errno : 0;
    close(fd);
    if (bad) return err_set_errno(e, bad, "counter page %s", path);
    err_t err = check_page(page, bytes, path, e);
    if (err) {
        munmap(page, bytes);
        return err;
    }
    memset(c, 0, sizeof *c);
    point(c, page, ((const struct page_head *)page)->count);
    return ERR_OK;
}

void counters_close(struct counters *c) {
    if (!c->page) return;
    munmap(c->page, c->bytes);
    if (c->owner && c->path[0]) {
        unlink(c->path);
        close(c->lock_fd);
    }
    memset(c, 0, sizeof *c);
}

const char *counters_name(const struct counters *c, size_t id) { return row_of(c, id)->name; }

void counters_export(const struct counters *c, FILE *to) {
    for (size_t i = 0; i < c->count; i++) {
        const struct page_row *row = row_of(c, i);
        fprintf(to, "# HELP fathom_%s %s (%s)\n# TYPE fathom_%s %s\nfathom_%s %" PRId64 "\n",
            row->name, row->help, row->unit, row->name,
            row->kind == COUNTER_TOTAL ? "counter" : "gauge", row->name, counters_get(c, i));
    }
}
