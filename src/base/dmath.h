/* dmath.h: deterministic elementary functions (SLEEF's scalar `cinz ... purec` forms).
 *
 * The same bits with gcc and clang, with and without FMA units; glibc's are not. Everything that is
 * hashed uses these and sqrt, fabs, floor, ceil, fma only.
 */
#ifndef FATHOM_BASE_DMATH_H
#define FATHOM_BASE_DMATH_H

double dm_exp(double x);
double dm_expm1(double x);
double dm_log(double x);
double dm_log1p(double x);
double dm_pow(double x, double y);
double dm_sin(double x);
double dm_cos(double x);
double dm_tanh(double x);
double dm_erf(double x);
double dm_erfc(double x);
double dm_atan2(double y, double x);

#endif
