/* The cross-check with the venue's best-price stream: the rebuilt best price and quantity after
 * each live depth message against the last ticker with id <= the message's u, judged once a ticker
 * with a larger id has come (both streams may be late against each other). */
#include "derive/book/book_internal.h"

static struct book_quote *ticker_at(struct book *b, size_t i) {
    return &b->tickers[(b->ticker_head + i) % TICKERS_KEPT];
}

static struct book_quote *waiting_at(struct book *b, size_t i) {
    return &b->checks[(b->check_head + i) % CHECKS_KEPT];
}

static bool level_equal(struct book_level a, struct book_level b) {
    return a.px.ticks == b.px.ticks && a.qty.lots == b.qty.lots;
}

static void judge(struct book *b, const struct book_quote *rebuilt, const struct book_quote *said) {
    b->counters.ticker_checked++;
    bool equal = level_equal(rebuilt->bid, said->bid) && level_equal(rebuilt->ask, said->ask);
    if (equal) b->counters.ticker_equal++;
}

void check_ticker(struct book *b, const struct event *ev) {
    b->counters.ticker_seen++;
    struct book_quote now = {
        .id = ev->id, .bid = {ev->px, ev->qty}, .ask = {ev->ask.px, ev->ask.qty}};
    struct book_quote *last = b->ticker_count > 0 ? ticker_at(b, b->ticker_count - 1) : NULL;
    if (last != NULL && now.id < last->id) return; /* a late one would be judged by a later one */
    if (last != NULL && now.id == last->id) {
        *last = now;
        return;
    }
    while (b->check_count > 0 && waiting_at(b, 0)->id < now.id) {
        if (last != NULL) judge(b, waiting_at(b, 0), last);
        if (last == NULL) b->counters.ticker_unjudged++;
        b->check_head = (b->check_head + 1) % CHECKS_KEPT;
        b->check_count--;
    }
    if (b->ticker_count == TICKERS_KEPT) {
        b->ticker_head = (b->ticker_head + 1) % TICKERS_KEPT;
        b->ticker_count--;
    }
    *ticker_at(b, b->ticker_count++) = now;
}

void check_depth(struct book *b) {
    struct book_quote now;
    book_quote_now(b, &now);
    size_t i = b->ticker_count;
    while (i > 0 && ticker_at(b, i - 1)->id > now.id) i--;
    if (i < b->ticker_count) { /* a newer ticker is already here: judge at once */
        if (i > 0) judge(b, &now, ticker_at(b, i - 1));
        if (i == 0) b->counters.ticker_unjudged++;
        return;
    }
    if (b->ticker_count == 0 && b->counters.ticker_seen == 0) return; /* no such stream so far */
    if (b->check_count == CHECKS_KEPT) {
        b->counters.ticker_unjudged++;
        b->check_head = (b->check_head + 1) % CHECKS_KEPT;
        b->check_count--;
    }
    *waiting_at(b, b->check_count++) = now;
}

void book_end(struct book *b) {
    const struct book_quote *last = b->ticker_count > 0 ? ticker_at(b, b->ticker_count - 1) : NULL;
    for (; b->check_count > 0; b->check_count--) {
        const struct book_quote *now = waiting_at(b, 0);
        bool same =
            last != NULL && level_equal(now->bid, last->bid) && level_equal(now->ask, last->ask);
        if (same) judge(b, now, last);
        if (!same) b->counters.ticker_unjudged++;
        b->check_head = (b->check_head + 1) % CHECKS_KEPT;
    }
}
