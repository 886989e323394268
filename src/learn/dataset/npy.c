#include "learn/dataset/npy.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"

/* Magic, version 1.0, header length, a Python dictionary, blanks, a newline (numpy.lib.format). */
static void header_of(
    char out[NPY_HEADER], const char *descr, uint64_t rows, size_t columns, size_t inner) {
    char shape[96];
    if (inner)
        snprintf(shape, sizeof shape, "(%" PRIu64 ", %zu, %zu)", rows, columns, inner);
    else if (columns)
        snprintf(shape, sizeof shape, "(%" PRIu64 ", %zu)", rows, columns);
    else
        snprintf(shape, sizeof shape, "(%" PRIu64 ",)", rows);
    memset(out, ' ', NPY_HEADER);
    memcpy(out, "\x93NUMPY\x01\x00", 8);
    out[8] = (char)((NPY_HEADER - 10) & 255);
    out[9] = (char)((NPY_HEADER - 10) >> 8);
    int n = snprintf(out + 10, NPY_HEADER - 10,
        "{'descr': %s, 'fortran_order': False, 'shape': %s, }", descr, shape);
    CHECK(n > 0 && n < NPY_HEADER - 11);
    out[10 + n] = ' ';
    out[NPY_HEADER - 1] = '\n';
}

void npy_header(char out[NPY_HEADER], const char *descr, uint64_t rows, size_t columns) {
    header_of(out, descr, rows, columns, 0);
}

err_t npy_create(struct npy_out *o, const char *path, const char *descr, size_t columns,
    size_t row_bytes, struct err_info *e) {
    return npy_create_cube(o, path, descr, columns, 0, row_bytes, e);
}

err_t npy_create_cube(struct npy_out *o, const char *path, const char *descr, size_t columns,
    size_t inner, size_t row_bytes, struct err_info *e) {
    memset(o, 0, sizeof *o);
    o->inner = inner;
    snprintf(o->path, sizeof o->path, "%s", path);
    o->descr = descr;
    o->columns = columns;
    o->row_bytes = row_bytes;
    o->f = fopen(path, "w+be");
    if (!o->f) return err_set_errno(e, errno, "cannot make %s", path);
    char head[NPY_HEADER];
    header_of(head, descr, 0, columns, inner);
    fwrite(head, 1, sizeof head, o->f);
    return ERR_OK;
}

void npy_row(struct npy_out *o, const void *row) {
    fwrite(row, 1, o->row_bytes, o->f);
    o->rows++;
}

err_t npy_close(struct npy_out *o, struct err_info *e) {
    if (!o->f) return ERR_OK;
    char head[NPY_HEADER];
    header_of(head, o->descr, o->rows, o->columns, o->inner);
    int bad = fflush(o->f) ? errno : 0;
    if (!bad && fseek(o->f, 0, SEEK_SET) != 0) bad = errno;
    fwrite(head, 1, sizeof head, o->f);
    if (!bad && (fflush(o->f) || fsync(fileno(o->f)))) bad = errno;
    if (!bad && ferror(o->f)) bad = ENOSPC; /* an earlier write was short */
    fclose(o->f);
    o->f = NULL;
    return bad ? err_set_errno(e, bad, "%s could not be written", o->path) : ERR_OK;
}

static err_t damaged(const char *path, struct err_info *e) {
    return err_set(e, ERR_INPUT,
        "%s is not the array that the manifest describes: it was cut or changed; build the dataset "
        "again",
        path);
}

err_t npy_map(const char *path, const char *descr, uint64_t rows, size_t columns, size_t row_bytes,
    void **map, size_t *bytes, struct err_info *e) {
    struct stat st;
    uint64_t want;
    bool fits = !__builtin_mul_overflow(rows, row_bytes, &want) &&
                !__builtin_add_overflow(want, (uint64_t)NPY_HEADER, &want) && want <= SIZE_MAX / 2;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT) return damaged(path, e);
    if (fd < 0) return err_set_errno(e, errno, "%s", path);
    if (fstat(fd, &st) != 0 || !fits || st.st_size != (off_t)want) {
        close(fd);
        return damaged(path, e);
    }
    void *p = mmap(NULL, (size_t)want, PROT_READ, MAP_PRIVATE, fd, 0);
    int bad = p == MAP_FAILED ? errno : 0;
    close(fd);
    if (bad) return err_set_errno(e, bad, "%s could not be mapped", path);
    char head[NPY_HEADER];
    npy_header(head, descr, rows, columns);
    if (memcmp(p, head, sizeof head) != 0) {
        munmap(p, (size_t)want);
        return damaged(path, e);
    }
    *map = p;
    *bytes = (size_t)want;
    return ERR_OK;
}
