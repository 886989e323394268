#include "base/dmath.h"

#include <sleef.h>

double dm_exp(double x) { return Sleef_cinz_expd1_u10purec(x); }
double dm_expm1(double x) { return Sleef_cinz_expm1d1_u10purec(x); }
double dm_log(double x) { return Sleef_cinz_logd1_u10purec(x); }
double dm_log1p(double x) { return Sleef_cinz_log1pd1_u10purec(x); }
double dm_pow(double x, double y) { return Sleef_cinz_powd1_u10purec(x, y); }
double dm_sin(double x) { return Sleef_cinz_sind1_u10purec(x); }
double dm_cos(double x) { return Sleef_cinz_cosd1_u10purec(x); }
double dm_tanh(double x) { return Sleef_cinz_tanhd1_u10purec(x); }
double dm_erf(double x) { return Sleef_cinz_erfd1_u10purec(x); }
double dm_erfc(double x) { return Sleef_cinz_erfcd1_u15purec(x); }
double dm_atan2(double y, double x) { return Sleef_cinz_atan2d1_u10purec(y, x); }
