#include "program/run_config.h"

#define STR(path, fallback, help)                                                                  \
    { path, CONFIG_STRING, fallback, NULL, 0, 0, "", help, "", false, NULL }
#define LIST(path, fallback, help)                                                                 \
    { path, CONFIG_LIST, fallback, NULL, 0, 0, "", help, "", false, NULL }
#define ENUM(path, fallback, choices, help)                                                        \
    { path, CONFIG_ENUM, fallback, choices, 0, 0, "", help, "", false, NULL }
#define INT(path, fallback, lo, hi, unit, help, source)                                            \
    { path, CONFIG_INT, fallback, NULL, lo, hi, unit, help, source, false, NULL }
#define NUM(path, fallback, lo, hi, unit, help, source)                                            \
    { path, CONFIG_DOUBLE, fallback, NULL, lo, hi, unit, help, source, false, NULL }
#define BOOL(path, fallback, help)                                                                 \
    { path, CONFIG_BOOL, fallback, NULL, 0, 0, "", help, "", false, NULL }
#define DEC(path, fallback, unit, help, source)                                                    \
    { path, CONFIG_DECIMAL, fallback, NULL, 0, 0, unit, help, source, false, NULL }

const struct config_key run_schema[] = {
    STR("name", "run", "Name of the run; it heads the report."),
    STR("output", "runs/run", "Folder of the run; made whole or not at all."),
    INT("seed", "1", 0, 9e15, "", "Seed of everything that uses chance: training, bootstrap.", ""),

    {.path = "data.input",
        .type = CONFIG_LIST,
        .fallback = "",
        .unit = "",
        .help = "Raw recordings or CSV files; several continue one session. `input` for short.",
        .source = "",
        .alias = "input"},
    STR("data.tape", "", "An existing tape instead of data.input."),
    STR("data.truth", "",
        "Truth file of a generated market (.truth.csv): adds found beside planted."),
    ENUM("data.venue", "auto", "auto|binance-usdm|binance-coinm|binance-spot",
        "Venue of the input where it does not say so itself."),
    STR("data.symbol", "", "SYMBOL or VENUE:SYMBOL to run on; empty = the only one of the tape."),
    LIST("instruments", "",
        "Several instruments in one run, one strategy each, one account: SYMBOL or VENUE:SYMBOL, "
        "followed by keys of its own (\"ETHUSDT strategy.quantity=0.1\"); all = every one of the "
        "tape; empty = the one of data.symbol."),
    LIST("data.peers", "",
        "Other venues or contracts beside it, SYMBOL or VENUE:SYMBOL of the tapes, at most 4: what "
        "the features of the family xv compare with (docs/features-cross-venue.md)."),
    STR("data.reference", "",
        "Reference instrument of v72_i and v72_regime (BTC), SYMBOL or VENUE:SYMBOL of the tapes."),
    LIST("data.tapes", "", "Several tapes as one, merged by receive time, instead of data.tape."),
    STR("data.instruments", "", "File with tick and lot sizes (else declared, else inferred)."),
    BOOL("data.strict", "false", "Stop at the first bad row instead of counting it."),

    STR("bucket.spec", "time=1",
        "Bucket clock: time=SECONDS, volume=Q, count=N, update=N or adaptive=Q, with options "
        "(docs/volume-clock.md); volume=config takes its size from bucket.config."),
    STR("bucket.config", "",
        "Bucket configuration of fathom vclock calibrate; a bucket.spec left alone is "
        "volume=config."),
    STR("bucket.reference", "",
        "SYMBOL or VENUE:SYMBOL of the tapes whose clock, of bucket.spec, cuts the buckets and "
        "gives their ids; empty = the instrument's own."),
    STR("features.set", "core",
        "Feature set: all, core, bars, ohlcv, families or names joined by '+', or a file of "
        "fathom features select."),
    STR("features.scale", "",
        "Rolling scaling of every column by the rows before it: z or quantile, then :ROWS and "
        ":session (docs/features-selection.md); empty = that of the set, which is none by name."),

    ENUM("label.kind", "next", "next|horizon|barrier",
        "next: return of the next label.buckets buckets; horizon: of label.horizon_s; barrier: "
        "triple "
        "barrier."),
    INT("label.buckets", "1", 1, 100000, "buckets", "Length of the label (next).", ""),
    NUM("label.horizon_s", "1", 0.001, 1e7, "s",
        "Length of the label (horizon), timeout (barrier).", ""),
    NUM("label.threshold", "0.00001", 0, 1, "1/s", "Class threshold on return per second.",
        "S3 1055-1141"),
    BOOL("label.adaptive", "true",
        "Threshold from training rows only, so that the three classes are about equal."),
    NUM("label.target_bps", "20", 0.01, 1e5, "bps", "Upper barrier.", ""),
    NUM("label.stop_bps", "20", 0.01, 1e5, "bps", "Lower barrier.", ""),

    ENUM("model.kind", "none", "none|logistic|lightgbm", "Model trained in the walk-forward."),
    ENUM("model.target", "binary", "binary|classes", "Up against down, or down / flat / up."),
    STR("model.path", "", "A saved model folder, scored as it is instead of training one."),
    ENUM("model.calibration", "platt", "none|platt|isotonic",
        "Fitted on the end of each training part."),
    NUM("model.l2", "0", 0, 1e9, "",
        "Ridge penalty of the logistic model; 0 = chosen on the end of each training part.", ""),
    INT("model.trees", "200", 1, 100000, "", "Boosting rounds.", ""),
    INT("model.leaves", "15", 2, 4096, "", "Leaves a tree.", ""),
    NUM("model.rate", "0.05", 1e-6, 1, "", "Learning rate.", "S2 1139-1250"),
    INT("model.min_leaf", "100", 1, 1000000, "rows", "Least rows a leaf.", ""),
    NUM("model.columns", "0.8", 0.01, 1, "", "Share of columns a tree.", "S2 1139-1250"),
    NUM("model.rows", "0.8", 0.01, 1, "", "Share of rows a tree.", "S2 1139-1250"),

    ENUM("study.scheme", "expanding", "expanding|rolling", "Training window of the walk-forward."),
    INT("study.folds", "5", 1, 1000, "", "Test blocks; used when study.train_rows is 0.", ""),
    INT("study.train_rows", "0", 0, 1e12, "rows",
        "First (or rolling) training window; 0 = by folds.", ""),
    INT("study.test_rows", "0", 0, 1e12, "rows", "Test window; 0 = by folds.", ""),
    INT("study.embargo", "0", 0, 1e9, "rows",
        "Rows left out after the training part, besides purging.", ""),
    INT("study.bootstrap", "500", 50, 100000, "", "Block bootstrap repetitions.", ""),
    BOOL("study.shuffle_labels", "false", "Shuffle all labels: a control that must find nothing."),
    STR("study.trials", "", "Trial ledger file; empty = trials.jsonl beside the run folder."),

    STR("strategy.kind", "none",
        "What trades: none, or a strategy of the program (examples/strategies: quoter, grid, "
        "anchor_grid, model, momentum, bracket; or one's own)."),
    LIST("strategy.params", "",
        "NAME=VALUE of parameters without a key here: of strategies of one's own "
        "(docs/strategies.md)."),
    DEC("strategy.quantity", "0.01", "base", "Order quantity.", ""),
    DEC("strategy.position_max", "0.1", "base", "Largest wanted position.", ""),
    INT("strategy.period_ms", "100", 1, 86400000, "ms", "Timer of quoter, grid and bracket.", ""),
    INT("strategy.levels", "10", 1, 64, "", "Levels a side of the grid.", ""),
    INT("strategy.interval_ticks", "10", 1, 1000000, "ticks", "Distance of grid levels.", ""),
    INT("strategy.half_spread_ticks", "20", 0, 1000000, "ticks", "Grid: least distance to mid.",
        ""),
    INT("strategy.hold_buckets", "1", 1, 1000000, "buckets", "Model: how long a forecast is held.",
        ""),
    INT("strategy.target_ticks", "200", 1, 1000000, "ticks", "Bracket: profit of the target.", ""),
    INT("strategy.stop_ticks", "100", 1, 1000000, "ticks", "Bracket: loss of the stop.", ""),
    NUM("strategy.momentum_bps", "5", 0, 1e5, "bps", "Momentum: move that triggers.", ""),

    NUM("intent.confidence_min", "0.55", 0, 1, "",
        "Least calibrated probability of the wanted side.", "S3 1341"),
    NUM("intent.edge_min_bps", "0", -1e4, 1e4, "bps", "Least expected edge after cost.", "S2 G4"),
    NUM("intent.edge_full_bps", "-10000", -1e4, 1e4, "bps",
        "Edge that takes the whole position, smaller ones a share; at or below "
        "intent.edge_min_bps: all or nothing.",
        ""),
    NUM("intent.missing_max", "0.05", 0, 1, "", "Largest share of missing features.", "S3 1335"),
    NUM("intent.move_bps", "0", 0, 1e5, "bps",
        "Expected move of a right forecast; 0 = mean absolute move of the training rows.", ""),

    DEC("risk.order_max", "1", "base", "Largest order quantity.", ""),
    DEC("risk.notional_max", "100000", "quote", "Largest order value.", ""),
    DEC("risk.position_max", "1", "base", "Largest worst-case position.", ""),
    NUM("risk.collar_bps", "100", 0.1, 1e5, "bps", "Largest distance of a price from mid.", ""),
    INT("risk.orders_10s", "300", 1, 1e9, "", "Order messages in 10 s.", "venue limit of 2021"),
    INT("risk.orders_60s", "1200", 1, 1e9, "", "Order messages in 60 s.", "venue limit of 2021"),
    INT("risk.open_orders", "200", 1, 4096, "", "Open orders at once.", "venue limit of 2021"),
    DEC("risk.daily_loss", "1000", "settle", "Loss of a UTC day that stops new risk.", ""),
    INT("risk.stale_ms", "5000", 1, 86400000, "ms", "Age of the book above which nothing is sent.",
        ""),

    DEC("account.deposit", "10000", "settle", "Money at the start.", ""),
    LIST("account.deposits", "",
        "Several instruments: ASSET=AMOUNT of each settlement asset (\"BTC=0.2\"); an asset not "
        "named is account.deposit where it is the account's currency."),
    STR("account.currency", "",
        "Currency in which an account of several assets is valued; empty = the first instrument's "
        "settlement asset."),
    STR("fees.maker", "venue",
        "Fee rate of passive fills (negative = rebate); venue = the regular tier of the "
        "instrument's venue as published (docs/simulator.md; Binance USD-M: 0.0002)."),
    STR("fees.taker", "venue",
        "Fee rate of aggressive fills; venue = the regular tier (Binance USD-M: 0.0005)."),
    LIST("fees.tiers", "",
        "Fee tiers instead of the two flat rates: VOLUME:MAKER:TAKER, rising from volume 0 (traded "
        "value of the 30 whole UTC days before, quote currency, per venue)."),
    DEC("fees.volume_30d", "0", "quote", "Value traded in the 30 days before the run (tiers).", ""),
    BOOL("funding.on", "true", "Charge funding at settlement."),

    BOOL("margin.on", "true",
        "Initial margin is asked of orders and positions are liquidated (sim.rules strict)."),
    ENUM("margin.mode", "cross", "cross|isolated",
        "cross: all positions of an asset share its balance; isolated: each has its own."),
    INT("margin.leverage", "20", 1, 125, "", "Leverage chosen at the venue.",
        "Binance's default for a new symbol"),
    LIST("margin.ladder", "auto",
        "Maintenance tiers NOTIONAL:MAINTENANCE:LEVERAGE (NOTIONAL 0 = no end), or a table by "
        "name: "
        "auto, binance-btc, binance-small, binance-coinm-btc, coinm-small (docs/simulator.md)."),
    DEC("margin.clearance", "0.0125", "", "Fee rate of liquidation fills, beside the taker fee.",
        "exchangeInfo liquidationFee of BTCUSDT"),
    DEC("margin.insurance", "0", "settle",
        "Insurance fund of the venue; what liquidations cost it beyond this sets the ADL flag.",
        ""),

    ENUM("sim.rules", "strict", "strict|anchor", "Rule set of the simulated exchange."),
    ENUM("sim.queue", "risk", "risk|log|log2|power|power2|power3|calibrated|fifo",
        "Queue model; calibrated: that of sim.queue_file; fifo: exact, from per-order data."),
    STR("sim.queue_file", "", "Result of fathom queue fit for sim.queue: calibrated."),
    NUM("sim.queue_power", "2", 0.1, 100, "", "Exponent of the power models.", ""),
    NUM("sim.entry_ms", "2", 0, 60000, "ms", "Latency from us to the venue.", ""),
    NUM("sim.response_ms", "3", 0, 60000, "ms", "Latency from the venue to us.", ""),
    ENUM("sim.latency.model", "constant", "constant|recorded|fitted",
        "constant: sim.entry_ms and sim.response_ms; recorded: between the stamps of "
        "sim.latency.file; fitted: drawn from its table by message rate."),
    STR("sim.latency.file", "",
        "recorded: CSV of req_ns,venue_ns,resp_ns; fitted: file of fathom latency fit."),
    NUM("sim.latency.cancel_ms", "-1", -1, 60000, "ms",
        "constant: latency of a cancel; -1 = sim.entry_ms.", ""),
    NUM("sim.latency.modify_ms", "-1", -1, 60000, "ms",
        "constant: latency of a modify; -1 = sim.entry_ms.", ""),
    NUM("sim.latency.fill_ms", "-1", -1, 60000, "ms",
        "constant: latency of a fill report; -1 = sim.response_ms.", ""),
    NUM("sim.latency.cancel_factor", "1", 0, 100, "",
        "recorded, fitted: a cancel takes so many times what the model says.", ""),
    NUM("sim.latency.modify_factor", "1", 0, 100, "", "recorded, fitted: the same of a modify.",
        ""),
    NUM("sim.latency.fill_factor", "1", 0, 100, "", "recorded, fitted: the same of a fill report.",
        ""),
    NUM("sim.latency.reject_rate", "0", 0, 1, "",
        "Share of requests refused before the matching engine (drawn from seed).", ""),
    NUM("sim.latency.lost_rate", "0", 0, 1, "",
        "Share of requests that never arrive: the order times out and is asked about.", ""),
    NUM("sim.clock_window_s", "0", 0, 1e7, "s",
        "One clock offset each so many seconds, linear between; 0 = one for all data.", ""),
    NUM("sim.impact.half_life_s", "0", 0, 86400, "s",
        "strict: liquidity that we took comes back with this half-life; 0 = when the data name its "
        "level again.",
        "Obizhaeva and Wang 2013"),
    ENUM("sim.impact.shape", "none", "none|linear|sqrt",
        "strict: prices move against further taking by sim.impact.bps x (Q / V) or its square "
        "root."),
    NUM("sim.impact.bps", "0", 0, 1e4, "bps", "Permanent impact of taking sim.impact.volume.", ""),
    DEC("sim.impact.volume", "0", "base", "V of the permanent impact: a day's volume, say.", ""),
    BOOL("sim.partial_fills", "false",
        "anchor: its exchange with partial fills, defects as sim.anchor.* says; strict always has "
        "partial fills."),
    BOOL("sim.anchor.filled_only", "true",
        "Partial fills of the anchor: our side books a fill only when it completes the order."),
    BOOL("sim.anchor.one_response", "true",
        "Partial fills of the anchor: a sweep over several levels reports its last fill only."),
    BOOL("sim.anchor.ghosts", "true",
        "Partial fills of the anchor: an order filled exactly by a print stays; the next hit ends "
        "the run."),
    BOOL("sim.anchor.gtc_at_limit", "true",
        "Partial fills of the anchor: what a marketable GTC order does not find fills at its "
        "limit."),
    INT("sim.anchor.market_ticks", "100", 0, 1000000, "ticks",
        "Partial fills of the anchor: how far a market order looks; 0 = the whole side.", ""),
    ENUM("sim.self_trade", "venue", "venue|none|taker|maker|both",
        "strict: own order meets own order: which ends (none: they trade); venue: its default."),
    ENUM("sim.amend", "venue", "venue|keep|lose",
        "strict: place in the queue after an amend to less at the same price."),
    ENUM("sim.reduce_only", "venue", "venue|reject|cut",
        "strict: a reduce-only order larger than what is left to reduce."),
    BOOL("sim.request_limits", "true",
        "strict: count requests as the venue does; beyond its limits they are rejected, then "
        "banned."),
    INT("sim.open_orders", "0", 0, 100000, "", "strict: most open orders; 0 = the venue's.", ""),
    DEC("sim.order_max", "0", "base", "strict: the venue's largest order; 0 = none.", ""),
    NUM("sim.price_band", "0.15", 0, 0.99, "",
        "strict: a buy above mark x (1 + band), a sell below mark x (1 - band) is rejected (the "
        "mid while there is no mark); 0 = none.",
        "Binance PERCENT_PRICE of 2021"),
    NUM("sim.market_bound", "0.05", 0, 0.99, "",
        "strict: how far from the mark a market order takes; the rest expires; 0 = no bound.",
        "Binance marketTakeBound"),
    LIST("sim.outages", "",
        "strict: spans FROM-TO:KIND in seconds after the first event. reject: every request is "
        "refused; lost: requests never arrive; mute: they act, answers but fills are lost."),
    NUM("sim.outage_every_s", "0", 0, 1e7, "s",
        "strict: besides, one outage in each such span of time, at a place drawn by seed; 0 = "
        "none.",
        ""),
    NUM("sim.outage_s", "1", 0, 1e6, "s", "Length of a drawn outage.", ""),
    ENUM("sim.outage_kind", "reject", "reject|lost|mute", "Kind of a drawn outage."),
    INT("sim.reorder_ms", "1000", 0, 600000, "ms", "Reorder window of venue time.", ""),
    NUM("sim.bar_slippage_bps", "1", 0, 1000, "bps",
        "Bars: how much worse than the next bar's open a market order fills.", ""),

    LIST("sweep.vary", "",
        "What a sweep varies, a line a key: \"KEY = A, B, C\", \"KEY = LO..HI step S\", \"KEY = "
        "LO..HI\" or \"KEY = LO..HI log\"; | separates values as well."),
    ENUM("sweep.method", "grid", "grid|random|latin",
        "Every combination, independent draws, or a Latin hypercube."),
    INT("sweep.sets", "0", 0, 65536, "sets", "Number of sets of random and latin.", ""),
    INT("sweep.batch", "16", 1, 63, "sets",
        "Sets that share one replay where they can; changes no result.", ""),
    INT("sweep.spans", "16", 4, 16, "",
        "Spans of the probability of backtest overfitting; fewer where the data are short.",
        "Bailey et al. 2015"),

    INT("stress.worlds", "100", 1, 10000, "", "Worlds with drawn latency, fees, queue, outages.",
        ""),
    NUM("stress.latency_factor", "5", 1, 1000, "",
        "Latency of a world: sim.entry_ms and sim.response_ms times 1 up to this (log-uniform).",
        ""),
    NUM("stress.fee_bps", "1", 0, 100, "bps", "Fees of a world: up to this much dearer.", ""),
    NUM("stress.slippage_bps", "2", 0, 1000, "bps",
        "Bars: slippage of a world is up to this much more.", ""),
    NUM("stress.reject_rate", "0.02", 0, 1, "",
        "Share of requests refused before matching in a world: up to this.", ""),
    NUM("stress.outage_every_s", "60", 0, 1e7, "s",
        "strict: one outage of the venue in each such span; 0 = none.", ""),
    NUM("stress.outage_s", "5", 0, 1e6, "s", "Length of an outage in a world: up to this.", ""),
    INT("stress.spans", "3", 0, 20, "",
        "Extreme spans replayed alone: so many with the largest moves, so many with the most "
        "messages.",
        ""),
    NUM("stress.span_s", "60", 1, 1e7, "s",
        "Length of an extreme span; at most a fifth of the data.", ""),
    INT("stress.holes", "5", 0, 1000, "",
        "Lost messages, and lost connections, injected into a copy of the tape.", ""),
    NUM("stress.hole_s", "5", 0.1, 1e6, "s", "How long the book is not trusted in each.", ""),
    INT("stress.bootstrap", "2000", 100, 1000000, "", "Resampled histories.", ""),

    BOOL("report.html", "true", "Write report.html."),
};

const size_t run_schema_keys = sizeof run_schema / sizeof run_schema[0];
