#include "learn/study/trials.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json_out.h"
#include "base/mem.h"

enum { LEDGER_MAX = 1 << 28 };
static const char *const format_name = "fathom-trial-1";

struct seen {
    uint64_t config, data;
    double sharpe;
};

struct ledger {
    struct seen *seen;
    size_t n, cap;
    uint64_t lines, unreadable;
};

static bool read_hash(const cJSON *o, const char *key, uint64_t *out) {
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(o, key);
    if (!cJSON_IsString(v) || strspn(v->valuestring, "0123456789abcdef") != 16) return false;
    *out = strtoull(v->valuestring, NULL, 16);
    return true;
}

static bool read_line(const char *line, size_t n, struct seen *s) {
    cJSON *o = cJSON_ParseWithLength(line, n);
    const cJSON *format = cJSON_GetObjectItemCaseSensitive(o, "format");
    const cJSON *sharpe = cJSON_GetObjectItemCaseSensitive(o, "sharpe_period");
    bool ok = cJSON_IsString(format) && strcmp(format->valuestring, format_name) == 0 &&
              read_hash(o, "config_hash", &s->config) && read_hash(o, "data_hash", &s->data);
    s->sharpe = cJSON_IsNumber(sharpe) ? sharpe->valuedouble : NAN;
    cJSON_Delete(o);
    return ok;
}

static void read_lines(struct ledger *l, const char *text, size_t n) {
    for (size_t at = 0; at < n;) {
        const char *nl = memchr(text + at, '\n', n - at);
        size_t len = nl ? (size_t)(nl - text) - at : n - at;
        struct seen s;
        if (len > 0) {
            l->lines++;
            if (read_line(text + at, len, &s)) {
                l->seen = mem_array(l->seen, l->n, &l->cap, sizeof *l->seen);
                l->seen[l->n++] = s;
            } else {
                l->unreadable++;
            }
        }
        at += len + 1;
    }
}

static int by_identity(const void *a, const void *b) {
    const struct seen *p = a, *q = b;
    if (p->config != q->config) return p->config < q->config ? -1 : 1;
    return (p->data > q->data) - (p->data < q->data);
}

static void count(struct ledger *l, struct trial_counts *out) {
    double mean = 0, square = 0, n = 0;
    memset(out, 0, sizeof *out);
    out->runs = l->lines;
    out->unreadable = l->unreadable;
    if (l->n) qsort(l->seen, l->n, sizeof *l->seen, by_identity);
    for (size_t i = 0; i < l->n; i++) {
        if (i && by_identity(&l->seen[i], &l->seen[i - 1]) == 0) continue;
        out->distinct++;
        double s = l->seen[i].sharpe;
        if (!isfinite(s)) continue;
        n++;
        double d = s - mean; /* Welford */
        mean += d / n;
        square += d * (s - mean);
    }
    out->variance = n >= 2 ? square / n : NAN;
}

static char *trial_line(const struct trial *t, bool torn, size_t *n) {
    struct json_out j;
    json_init(&j);
    json_object(&j);
    json_kstr(&j, "format", format_name);
    json_kstr(&j, "name", t->name);
    json_key(&j, "config_hash");
    json_hash(&j, t->config_hash);
    json_key(&j, "data_hash");
    json_hash(&j, t->data_hash);
    json_kdouble(&j, "sharpe_period", t->sharpe_period);
    json_key(&j, "periods");
    json_uint(&j, t->periods);
    json_object_end(&j);
    char *line = mem_alloc(j.len + 3);
    *n = 0;
    if (torn) line[(*n)++] = '\n'; /* a line that a crash cut off stays apart */
    memcpy(line + *n, j.text, j.len);
    *n += j.len;
    line[(*n)++] = '\n';
    json_fini(&j);
    return line;
}

static err_t read_all(int fd, const char *path, char **text, size_t *n, struct err_info *e) {
    struct stat st;
    if (fstat(fd, &st) != 0) return err_set_errno(e, errno, "%s", path);
    if (st.st_size > LEDGER_MAX)
        return err_set(
            e, ERR_FULL, "%s is larger than %d bytes: start a new ledger", path, LEDGER_MAX);
    *text = mem_alloc((size_t)st.st_size + 1);
    *n = 0;
    while (*n < (size_t)st.st_size) {
        ssize_t got = pread(fd, *text + *n, (size_t)st.st_size - *n, (off_t)*n);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return err_set_errno(e, got ? errno : EIO, "%s could not be read", path);
        *n += (size_t)got;
    }
    return ERR_OK;
}

static err_t append(int fd, const char *path, const char *line, size_t n, struct err_info *e) {
    size_t done = 0;
    while (done < n) {
        ssize_t put = write(fd, line + done, n - done);
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) return err_set_errno(e, errno, "%s could not be written", path);
        done += (size_t)put;
    }
    return fsync(fd) == 0 ? ERR_OK : err_set_errno(e, errno, "%s could not be written", path);
}

/* All lines as one text, so that they are written together. */
static char *trial_lines(const struct trial *t, size_t n, bool torn, size_t *len) {
    char *all = NULL;
    *len = 0;
    for (size_t i = 0; i < n; i++) {
        size_t more;
        char *line = trial_line(&t[i], torn && i == 0, &more);
        all = mem_grow(all, *len + more);
        memcpy(all + *len, line, more);
        *len += more;
        free(line);
    }
    return all;
}

static err_t locked(int fd, const char *path, const struct trial *t, size_t trials,
    struct trial_counts *out, struct err_info *e) {
    char *text = NULL;
    size_t n = 0;
    err_t err = read_all(fd, path, &text, &n, e);
    struct ledger l = {0};
    if (!err) read_lines(&l, text, n);
    if (!err && trials > 0) {
        size_t len;
        char *lines = trial_lines(t, trials, n && text[n - 1] != '\n', &len);
        err = append(fd, path, lines, len, e);
        if (!err) read_lines(&l, lines, len);
        free(lines);
    }
    if (!err) count(&l, out);
    free(l.seen);
    free(text);
    return err;
}

err_t trials_append_all(const char *path, const struct trial *t, size_t n, struct trial_counts *out,
    struct err_info *e) {
    int fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0) return err_set_errno(e, errno, "trial ledger %s", path);
    int bad = 0;
    while (flock(fd, LOCK_EX) != 0 && (bad = errno) == EINTR) bad = 0;
    err_t err = bad ? err_set_errno(e, bad, "trial ledger %s cannot be locked", path)
                    : locked(fd, path, t, n, out, e);
    close(fd); /* releases the lock */
    return err;
}

err_t trials_append(
    const char *path, const struct trial *t, struct trial_counts *out, struct err_info *e) {
    return trials_append_all(path, t, t ? 1 : 0, out, e);
}
