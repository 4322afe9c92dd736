// Where the fields of the structs lie that host and kernels share, and the numbers that both use. Made by the test of
// lipex-cuda/src/layout.rs: `LIPEX_WRITE_LAYOUT=1 cargo test -p lipex-cuda layout`. A file includes it at its end.
#define AT(type, field, offset) \
    static_assert(__INTADDR__(&((type*)0)->field) == offset, #type "." #field " lies elsewhere in lipex-cuda")
#define SAME(number, value) static_assert((u64)(number) == value, #number " is another number in lipex-cuda")

#ifdef LAYOUT_DEMO
SAME(sizeof(Net), 56);
AT(Net, hashes, 0);
AT(Net, idf, 8);
AT(Net, hidden, 16);
AT(Net, hidden_bias, 24);
AT(Net, output, 32);
AT(Net, output_bias, 40);
AT(Net, tokens, 48);
SAME(UNITS, 32);
SAME(CLASSES, 7);
#endif

#ifdef LAYOUT_EVALUATE
SAME(sizeof(Evaluation), 144);
AT(Evaluation, bits, 0);
AT(Evaluation, p, 8);
AT(Evaluation, pi, 16);
AT(Evaluation, times, 24);
AT(Evaluation, folds, 32);
AT(Evaluation, kept, 40);
AT(Evaluation, x, 48);
AT(Evaluation, rows, 56);
AT(Evaluation, words, 64);
AT(Evaluation, classes, 72);
AT(Evaluation, features, 80);
AT(Evaluation, all, 88);
AT(Evaluation, which, 96);
AT(Evaluation, fold, 104);
AT(Evaluation, identity, 112);
AT(Evaluation, answers, 120);
AT(Evaluation, sums, 128);
AT(Evaluation, squares, 136);
SAME(SUMS, 12);
SAME(ALL, 0);
SAME(FOLD, 1);
SAME(INSTANCE, 2);
#endif

#ifdef LAYOUT_FIT
SAME(sizeof(Search), 200);
AT(Search, value, 0);
AT(Search, trial, 8);
AT(Search, slope, 16);
AT(Search, t, 24);
AT(Search, low, 32);
AT(Search, high, 40);
AT(Search, norm, 48);
AT(Search, scale, 56);
AT(Search, rounding, 64);
AT(Search, products, 72);
AT(Search, phase, 152);
AT(Search, trials, 156);
AT(Search, pairs, 160);
AT(Search, newest, 164);
AT(Search, idle, 168);
AT(Search, stage, 172);
AT(Search, evaluations, 176);
AT(Search, iterations, 180);
AT(Search, stop, 184);
AT(Search, done, 188);
AT(Search, refined, 192);
AT(Search, unused, 196);
SAME(sizeof(Problem), 376);
AT(Problem, bits, 0);
AT(Problem, p, 8);
AT(Problem, pi, 16);
AT(Problem, times, 24);
AT(Problem, terms, 32);
AT(Problem, start, 40);
AT(Problem, widths, 48);
AT(Problem, rows, 56);
AT(Problem, words, 64);
AT(Problem, features, 72);
AT(Problem, classes, 80);
AT(Problem, count, 88);
AT(Problem, ones, 96);
AT(Problem, removed, 104);
AT(Problem, anchored, 112);
AT(Problem, by_weight, 120);
AT(Problem, by_curvature, 128);
AT(Problem, full, 136);
AT(Problem, stages, 144);
AT(Problem, limit, 152);
AT(Problem, renew, 160);
AT(Problem, most, 168);
AT(Problem, most_double, 176);
AT(Problem, lambda, 184);
AT(Problem, kappa, 192);
AT(Problem, tolerance, 200);
AT(Problem, divisor, 208);
AT(Problem, offset, 216);
AT(Problem, lambdas, 224);
AT(Problem, codes, 232);
AT(Problem, columns, 240);
AT(Problem, by_class, 248);
AT(Problem, weights, 256);
AT(Problem, means, 264);
AT(Problem, factors, 272);
AT(Problem, diagonals, 280);
AT(Problem, solved, 288);
AT(Problem, vectors, 296);
AT(Problem, slopes, 304);
AT(Problem, tiles, 312);
AT(Problem, tables, 320);
AT(Problem, partial, 328);
AT(Problem, values, 336);
AT(Problem, search, 344);
AT(Problem, rows_room, 352);
AT(Problem, answer, 360);
AT(Problem, report, 368);
SAME(TILE, 256);
SAME(WARPS * OWN, 4352);
SAME(MEMORY, 10);
SAME(5 + 2 * MEMORY, 25);
SAME(REPORT, 8);
SAME(OVER, 6);
SAME(WHOLE, 7);
SAME(OWN_VALUE, 5);
SAME(ONES, 4294967295);
#endif

#ifdef LAYOUT_LAMBDA
SAME(sizeof(HeldOut), 104);
AT(HeldOut, bits, 0);
AT(HeldOut, p, 8);
AT(HeldOut, pi, 16);
AT(HeldOut, times, 24);
AT(HeldOut, folds, 32);
AT(HeldOut, kept, 40);
AT(HeldOut, x, 48);
AT(HeldOut, rows, 56);
AT(HeldOut, words, 64);
AT(HeldOut, classes, 72);
AT(HeldOut, features, 80);
AT(HeldOut, fold, 88);
AT(HeldOut, sum, 96);
#endif

#ifdef LAYOUT_PERTURB
SAME(sizeof(Drawing), 48);
AT(Drawing, bits, 0);
AT(Drawing, features, 8);
AT(Drawing, rows, 16);
AT(Drawing, start, 24);
AT(Drawing, most, 32);
AT(Drawing, ends, 40);
SAME(UNIFORM_SIZE, 0);
SAME(ANTITHETIC, 1);
SAME(BERNOULLI, 2);
SAME(EXHAUSTIVE, 3);
SAME(WEIGHT_PROPORTIONAL, 4);
#endif

#ifdef LAYOUT_RENDER
SAME(ALWAYS, 0);
SAME(KEPT, 1);
SAME(REMOVED, 2);
#endif

#ifdef LAYOUT_RIDGE
SAME(sizeof(System), 56);
AT(System, members, 0);
AT(System, size, 8);
AT(System, first_class, 16);
AT(System, classes, 24);
AT(System, factor, 32);
AT(System, solutions, 40);
AT(System, reports, 48);
SAME(sizeof(Ridge), 112);
AT(Ridge, bits, 0);
AT(Ridge, p, 8);
AT(Ridge, pi, 16);
AT(Ridge, times, 24);
AT(Ridge, kept, 32);
AT(Ridge, rows, 40);
AT(Ridge, words, 48);
AT(Ridge, classes, 56);
AT(Ridge, columns, 64);
AT(Ridge, moments, 72);
AT(Ridge, gram, 80);
AT(Ridge, systems, 88);
AT(Ridge, count, 96);
AT(Ridge, alpha, 104);
#endif

#ifdef LAYOUT_SANDWICH
SAME(sizeof(Sandwich), 296);
AT(Sandwich, bits, 0);
AT(Sandwich, p, 8);
AT(Sandwich, pi, 16);
AT(Sandwich, times, 24);
AT(Sandwich, kept, 32);
AT(Sandwich, x, 40);
AT(Sandwich, rows, 48);
AT(Sandwich, words, 56);
AT(Sandwich, classes, 64);
AT(Sandwich, features, 72);
AT(Sandwich, columns, 80);
AT(Sandwich, removed, 88);
AT(Sandwich, near, 96);
AT(Sandwich, scale, 104);
AT(Sandwich, count, 112);
AT(Sandwich, masks, 120);
AT(Sandwich, room, 128);
AT(Sandwich, gradients, 136);
AT(Sandwich, vectors, 144);
AT(Sandwich, curvatures, 152);
AT(Sandwich, hessian, 160);
AT(Sandwich, inverse, 168);
AT(Sandwich, leverages, 176);
AT(Sandwich, units, 184);
AT(Sandwich, strata, 192);
AT(Sandwich, members, 200);
AT(Sandwich, factors, 208);
AT(Sandwich, starts, 216);
AT(Sandwich, stratum, 224);
AT(Sandwich, firsts, 232);
AT(Sandwich, counts, 240);
AT(Sandwich, repeats, 248);
AT(Sandwich, penalty, 256);
AT(Sandwich, means, 264);
AT(Sandwich, parts, 272);
AT(Sandwich, noise, 280);
AT(Sandwich, moved, 288);
SAME(SIDE, 16);
#endif

#ifdef LAYOUT_SELECT
SAME(sizeof(Regression), 120);
AT(Regression, bits, 0);
AT(Regression, p, 8);
AT(Regression, pi, 16);
AT(Regression, times, 24);
AT(Regression, kept, 32);
AT(Regression, rows, 40);
AT(Regression, words, 48);
AT(Regression, classes, 56);
AT(Regression, columns, 64);
AT(Regression, moments, 72);
AT(Regression, k, 80);
AT(Regression, exclusive, 88);
AT(Regression, room, 96);
AT(Regression, taken, 104);
AT(Regression, chosen, 112);
SAME(NONE, 4294967295);
#endif

#ifdef LAYOUT_WEIGH
SAME(sizeof(Weighing), 40);
AT(Weighing, bits, 0);
AT(Weighing, table, 8);
AT(Weighing, weights, 16);
AT(Weighing, rows, 24);
AT(Weighing, words, 32);
#endif
