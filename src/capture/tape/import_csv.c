#include "capture/tape/import_csv.h"

#include <string.h>

#include "base/check.h"
#include "base/unit.h"

_Static_assert(ROLE_END <= 32, "roles are bits of a word");

/* Header words as Binance's bulk files and other tables write them, compared without regard to
 * case and underscores. */
static const struct {
    const char *word;
    uint8_t role;
} words[] = {
    {"timestampofreceive", ROLE_LOCAL},
    {"stream", ROLE_IGNORED},
    {"eventtype", ROLE_IGNORED},
    {"eventtime", ROLE_EVENT_TIME},
    {"transactiontime", ROLE_TIME},
    {"transacttime", ROLE_TIME},
    {"time", ROLE_TIME},
    {"tsms", ROLE_TIME},
    {"calctime", ROLE_TIME},
    {"createtime", ROLE_TIME},
    {"opentime", ROLE_TIME},
    {"symbol", ROLE_SYMBOL},
    {"tradeid", ROLE_ID},
    {"aggtradeid", ROLE_ID},
    {"updateid", ROLE_ID},
    {"id", ROLE_ID},
    {"firsttradeid", ROLE_FIRST_ID},
    {"lasttradeid", ROLE_LAST_ID},
    {"price", ROLE_PX},
    {"quantity", ROLE_QTY},
    {"qty", ROLE_QTY},
    {"quoteqty", ROLE_IGNORED},
    {"baseqty", ROLE_IGNORED},
    {"isbuyermaker", ROLE_MAKER},
    {"isbuyermarketmaker", ROLE_MAKER},
    {"isbestmatch", ROLE_IGNORED},
    {"xunknownparameter", ROLE_EXECUTION},
    {"munknownparameter", ROLE_IGNORED},
    {"open", ROLE_OPEN},
    {"high", ROLE_HIGH},
    {"low", ROLE_LOW},
    {"close", ROLE_CLOSE},
    {"volume", ROLE_VOLUME},
    {"closetime", ROLE_IGNORED},
    {"quotevolume", ROLE_QUOTE_VOLUME},
    {"quoteassetvolume", ROLE_QUOTE_VOLUME},
    {"count", ROLE_COUNT},
    {"numberoftrades", ROLE_COUNT},
    {"takerbuyvolume", ROLE_TAKER_QTY},
    {"takerbuybaseassetvolume", ROLE_TAKER_QTY},
    {"takerbuyquotevolume", ROLE_TAKER_QUOTE},
    {"takerbuyquoteassetvolume", ROLE_TAKER_QUOTE},
    {"ignore", ROLE_IGNORED},
    {"bestbidprice", ROLE_BID_PX},
    {"bestbidqty", ROLE_BID_QTY},
    {"bestaskprice", ROLE_ASK_PX},
    {"bestaskqty", ROLE_ASK_QTY},
    {"fundingrate", ROLE_RATE},
    {"lastfundingrate", ROLE_RATE},
    {"fundingintervalhours", ROLE_IGNORED},
    {"sumopeninterest", ROLE_INTEREST},
    {"sumopeninterestvalue", ROLE_INTEREST_VALUE},
    {"counttoptraderlongshortratio", ROLE_RATIO_TOP_ACCOUNTS},
    {"sumtoptraderlongshortratio", ROLE_RATIO_TOP_POSITIONS},
    {"countlongshortratio", ROLE_RATIO_ACCOUNTS},
    {"sumtakerlongshortvolratio", ROLE_RATIO_TAKER},
};

#define BIT(role) (1u << (role))

/* What a kind needs, and its columns where a file has no header (Binance's own bulk files). */
static const struct {
    const char *name;
    uint32_t needs;
    uint8_t fields_min, fields_max;
    uint8_t role[12];
} kinds[IMPORT_CSV_KIND_COUNT] = {
    [IMPORT_CSV_TRADES] = {"trades",
        BIT(ROLE_PX) | BIT(ROLE_QTY) | BIT(ROLE_TIME) | BIT(ROLE_ID) | BIT(ROLE_MAKER), 6, 7,
        {ROLE_ID, ROLE_PX, ROLE_QTY, ROLE_IGNORED, ROLE_TIME, ROLE_MAKER, ROLE_IGNORED}},
    [IMPORT_CSV_AGG_TRADES] = {"aggTrades",
        BIT(ROLE_PX) | BIT(ROLE_QTY) | BIT(ROLE_TIME) | BIT(ROLE_ID) | BIT(ROLE_MAKER) |
            BIT(ROLE_FIRST_ID) | BIT(ROLE_LAST_ID),
        7, 8,
        {ROLE_ID, ROLE_PX, ROLE_QTY, ROLE_FIRST_ID, ROLE_LAST_ID, ROLE_TIME, ROLE_MAKER,
            ROLE_IGNORED}},
    [IMPORT_CSV_KLINES] = {"klines",
        BIT(ROLE_TIME) | BIT(ROLE_OPEN) | BIT(ROLE_HIGH) | BIT(ROLE_LOW) | BIT(ROLE_CLOSE) |
            BIT(ROLE_VOLUME),
        6, 12,
        {ROLE_TIME, ROLE_OPEN, ROLE_HIGH, ROLE_LOW, ROLE_CLOSE, ROLE_VOLUME, ROLE_IGNORED,
            ROLE_QUOTE_VOLUME, ROLE_COUNT, ROLE_TAKER_QTY, ROLE_TAKER_QUOTE, ROLE_IGNORED}},
    [IMPORT_CSV_MARK] = {"mark",
        BIT(ROLE_TIME) | BIT(ROLE_OPEN) | BIT(ROLE_HIGH) | BIT(ROLE_LOW) | BIT(ROLE_CLOSE), 5, 5,
        {ROLE_TIME, ROLE_OPEN, ROLE_HIGH, ROLE_LOW, ROLE_CLOSE}},
    [IMPORT_CSV_BOOK_TICKER] = {"bookTicker",
        BIT(ROLE_ID) | BIT(ROLE_BID_PX) | BIT(ROLE_BID_QTY) | BIT(ROLE_ASK_PX) | BIT(ROLE_ASK_QTY) |
            BIT(ROLE_TIME),
        7, 7,
        {ROLE_ID, ROLE_BID_PX, ROLE_BID_QTY, ROLE_ASK_PX, ROLE_ASK_QTY, ROLE_TIME,
            ROLE_EVENT_TIME}},
    [IMPORT_CSV_FUNDING] = {"fundingRate", BIT(ROLE_TIME) | BIT(ROLE_RATE), 2, 3,
        {ROLE_TIME, ROLE_IGNORED, ROLE_RATE}},
    [IMPORT_CSV_METRICS] = {"metrics", BIT(ROLE_TIME) | BIT(ROLE_INTEREST), 8, 8,
        {ROLE_TIME, ROLE_SYMBOL, ROLE_INTEREST, ROLE_INTEREST_VALUE, ROLE_RATIO_TOP_ACCOUNTS,
            ROLE_RATIO_TOP_POSITIONS, ROLE_RATIO_ACCOUNTS, ROLE_RATIO_TAKER}},
};

const char *import_csv_kind_name(enum import_csv_kind kind) {
    return kind > IMPORT_CSV_NONE && kind < IMPORT_CSV_KIND_COUNT ? kinds[kind].name : "none";
}

enum import_csv_kind import_csv_kind_from(const char *name, size_t len) {
    for (int k = 1; k < IMPORT_CSV_KIND_COUNT; k++) {
        if (strlen(kinds[k].name) == len && memcmp(kinds[k].name, name, len) == 0)
            return (enum import_csv_kind)k;
    }
    return IMPORT_CSV_NONE;
}

size_t import_csv_fields(const char *line, size_t len) {
    size_t n = 1;
    for (size_t i = 0; i < len; i++) n += line[i] == ',';
    return n;
}

/* The next field from *at on, without quotes round it; *at = behind its comma. */
static bool next_field(
    const char *line, size_t len, size_t *at, const char **field, size_t *field_len) {
    if (*at > len) return false;
    const char *start = line + *at, *comma = memchr(start, ',', len - *at);
    size_t n = comma ? (size_t)(comma - start) : len - *at;
    *at += n + 1;
    if (n >= 2 && start[0] == '"' && start[n - 1] == '"') {
        start++;
        n -= 2;
    }
    *field = start;
    *field_len = n;
    return true;
}

static uint8_t role_of(const char *word, size_t len) {
    char plain[40];
    size_t n = 0;
    for (size_t i = 0; i < len; i++) {
        char c = word[i];
        if (c == '_' || c == ' ') continue;
        if (n == sizeof plain - 1) return ROLE_IGNORED;
        plain[n++] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
    }
    plain[n] = 0;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(words[i].word, plain) == 0) return words[i].role;
    }
    return ROLE_IGNORED;
}

/* The kind whose needs the columns meet, the most demanding first. */
static enum import_csv_kind kind_of(uint32_t has) {
    static const uint8_t order[] = {IMPORT_CSV_METRICS, IMPORT_CSV_BOOK_TICKER,
        IMPORT_CSV_AGG_TRADES, IMPORT_CSV_TRADES, IMPORT_CSV_KLINES, IMPORT_CSV_MARK,
        IMPORT_CSV_FUNDING};
    for (size_t i = 0; i < sizeof order; i++) {
        uint32_t needs = kinds[order[i]].needs;
        if ((has & needs) == needs) return (enum import_csv_kind)order[i];
    }
    return IMPORT_CSV_NONE;
}

bool import_csv_header(
    const char *line, size_t len, struct import_csv_layout *out, const char **why) {
    *why = NULL;
    char c = len > 0 ? line[len > 1 && line[0] == '"'] : '0';
    if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))) return false;
    struct import_csv_layout l = {.header = true};
    const char *field;
    size_t at = 0, n;
    while (next_field(line, len, &at, &field, &n)) {
        if (l.fields == IMPORT_FIELDS_MAX) {
            *why = "more columns than any known kind";
            return false;
        }
        uint8_t role = role_of(field, n);
        if (role != ROLE_IGNORED && import_has(l.has, role)) {
            *why = "a column appears twice";
            return false;
        }
        l.role[l.fields++] = role;
        l.has |= BIT(role);
    }
    l.kind = (uint8_t)kind_of(l.has);
    if (l.kind == IMPORT_CSV_NONE) {
        *why = "its columns make no known kind of file";
        return false;
    }
    *out = l;
    return true;
}

bool import_csv_headless(enum import_csv_kind kind, size_t fields, struct import_csv_layout *out) {
    CHECK(kind > IMPORT_CSV_NONE && kind < IMPORT_CSV_KIND_COUNT);
    if (fields < kinds[kind].fields_min || fields > kinds[kind].fields_max) return false;
    if (kind == IMPORT_CSV_KLINES && fields != 6 && fields != 12) return false;
    struct import_csv_layout l = {.kind = (uint8_t)kind, .fields = (uint8_t)fields};
    memcpy(l.role, kinds[kind].role, fields);
    if (kind == IMPORT_CSV_FUNDING && fields == 2) l.role[1] = ROLE_RATE;
    for (size_t i = 0; i < fields; i++) l.has |= BIT(l.role[i]);
    *out = l;
    return true;
}

static bool integer(const char *s, size_t n, int64_t *out) {
    if (n == 0 || n > 18) return false;
    int64_t v = 0;
    for (size_t i = 0; i < n; i++) {
        if (s[i] < '0' || s[i] > '9') return false;
        v = v * 10 + (s[i] - '0');
    }
    *out = v;
    return true;
}

bool import_stamp(const char *text, size_t len, int64_t *ns, int64_t *unit_ns) {
    int64_t unit;
    switch (len) {
    case 10: unit = NS_PER_S; break;
    case 13: unit = NS_PER_MS; break;
    case 16: unit = NS_PER_US; break;
    case 19: unit = 1; break;
    default: return false;
    }
    int64_t v = 0;
    for (size_t i = 0; i < len; i++) {
        if (text[i] < '0' || text[i] > '9') return false;
        if (__builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, text[i] - '0', &v))
            return false;
    }
    if (v == 0 || __builtin_mul_overflow(v, unit, &v)) return false;
    *ns = v;
    *unit_ns = unit;
    return true;
}

int64_t import_interval(const char *text, size_t len) {
    if (len < 2 || len > 4 || text[0] == '0') return 0;
    int64_t n;
    if (!integer(text, len - 1, &n)) return 0;
    switch (text[len - 1]) {
    case 's': return n * NS_PER_S;
    case 'm': return n * 60 * NS_PER_S;
    case 'h': return n * 3600 * NS_PER_S;
    case 'd': return n * 86400 * NS_PER_S;
    case 'w': return n * 7 * 86400 * NS_PER_S;
    default: return 0;
    }
}

/* Days from 1970-01-01 to a Gregorian date: 365-day years, leap days, then days of the months. */
static int64_t days_from(int64_t year, int64_t month, int64_t day) {
    static const int16_t before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
    int64_t y = month > 2 ? year : year - 1; /* leap days are counted from March on */
    int64_t leaps = y / 4 - y / 100 + y / 400 - (1969 / 4 - 1969 / 100 + 1969 / 400);
    return (year - 1970) * 365 + leaps + before[month - 1] + day - 1;
}

bool import_date_time(const char *s, size_t n, int64_t *ns) {
    if (n != 19 || s[4] != '-' || s[7] != '-' || (s[10] != ' ' && s[10] != 'T') || s[13] != ':' ||
        s[16] != ':')
        return false;
    int64_t year, month, day, hour, minute, second;
    if (!integer(s, 4, &year) || !integer(s + 5, 2, &month) || !integer(s + 8, 2, &day) ||
        !integer(s + 11, 2, &hour) || !integer(s + 14, 2, &minute) || !integer(s + 17, 2, &second))
        return false;
    if (year < 1970 || year > 2200 || month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 ||
        minute > 59 || second > 59)
        return false;
    int64_t next_year = month == 12 ? year + 1 : year, next_month = month == 12 ? 1 : month + 1;
    if (days_from(year, month, day) >= days_from(next_year, next_month, 1)) return false;
    int64_t seconds = days_from(year, month, day) * 86400 + hour * 3600 + minute * 60 + second;
    *ns = seconds * NS_PER_S;
    return true;
}

static bool any_stamp(const char *s, size_t n, int64_t *ns, int64_t *unit_ns) {
    if (import_stamp(s, n, ns, unit_ns)) return true;
    *unit_ns = NS_PER_S;
    return import_date_time(s, n, ns);
}

static bool boolean(const char *s, size_t n, bool *out) {
    if (n == 1 && (s[0] == '0' || s[0] == '1')) {
        *out = s[0] == '1';
        return true;
    }
    if (n == 4 && (memcmp(s, "true", 4) == 0 || memcmp(s, "True", 4) == 0)) return *out = true;
    if (n == 5 && (memcmp(s, "false", 5) == 0 || memcmp(s, "False", 5) == 0)) {
        *out = false;
        return true;
    }
    return false;
}

/* One field that is no decimal. NULL: fine; else what was expected. */
static const char *plain_field(
    struct import_csv_row *r, enum import_role role, const char *s, size_t n) {
    int64_t unit;
    switch ((int)role) {
    case ROLE_LOCAL:
        return any_stamp(s, n, &r->local_ns, &r->unit_ns)
                   ? NULL
                   : "receive stamp of 10, 13, 16 or 19 digits";
    case ROLE_EVENT_TIME:
        return any_stamp(s, n, &r->event_ns, &unit) ? NULL
                                                    : "event time of 10, 13, 16 or 19 digits";
    case ROLE_TIME:
        if (!any_stamp(s, n, &r->venue_ns, &unit)) return "time of 10, 13, 16 or 19 digits";
        if (r->local_ns == 0) r->unit_ns = unit;
        return NULL;
    case ROLE_ID: return integer(s, n, &r->id) ? NULL : "whole number as id";
    case ROLE_FIRST_ID: return integer(s, n, &r->first_id) ? NULL : "whole number as first id";
    case ROLE_LAST_ID: return integer(s, n, &r->last_id) ? NULL : "whole number as last id";
    case ROLE_COUNT: return integer(s, n, &r->count) ? NULL : "whole number as count";
    case ROLE_MAKER:
        return boolean(s, n, &r->seller_aggressor) ? NULL : "0, 1, true or false as buyer-is-maker";
    case ROLE_EXECUTION: r->market = n == 6 && memcmp(s, "MARKET", 6) == 0; return NULL;
    case ROLE_SYMBOL:
        r->symbol = s;
        r->symbol_len = n;
        return n > 0 ? NULL : "a symbol";
    default: return NULL;
    }
}

enum import_csv_fault import_csv_row(const struct import_csv_layout *layout, const char *line,
    size_t len, struct import_csv_row *out, const char **why) {
    *out = (struct import_csv_row){.market = true};
    enum import_csv_fault fault = IMPORT_CSV_OK;
    const char *field;
    size_t at = 0, n, column = 0;
    for (; next_field(line, len, &at, &field, &n); column++) {
        if (column >= layout->fields) continue; /* counted below */
        enum import_role role = (enum import_role)layout->role[column];
        if (role == ROLE_IGNORED) continue;
        if (n > 0) out->has |= BIT(role);
        if (role >= ROLE_DECIMALS) {
            const char *expected = plain_field(out, role, field, n);
            if (expected && fault != IMPORT_CSV_MALFORMED) {
                fault = IMPORT_CSV_MALFORMED;
                *why = expected;
            }
        } else if (n > 0 || (kinds[layout->kind].needs & BIT(role))) {
            if (!decimal_parse(field, n, true, &out->d[role]) && fault == IMPORT_CSV_OK) {
                fault = IMPORT_CSV_BAD_DECIMAL;
                *why = "a decimal of at most 18 digits";
            }
        }
    }
    if (column != layout->fields) {
        *why = column < layout->fields ? "more columns" : "fewer columns";
        return IMPORT_CSV_MALFORMED;
    }
    return fault;
}
