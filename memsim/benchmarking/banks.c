/* What memsim's pulse kernel does, for each device model, as one would write it in C.
 *
 * Devices are taken in tiles of TILE, which fit the registers; a tile is carried through the whole pulse. With
 * -ffp-contract=off, and what is fused written as such, the results are those of memsim's kernels to the last bit, for any TILE.
 */

#include <math.h>
#include <stdint.h>
#include <string.h>

#ifndef TILE
#define TILE 64
#endif

#define INLINE static inline __attribute__((always_inline))

INLINE double within(double value, double lower, double upper) {
    value = value < lower ? lower : value;
    return value > upper ? upper : value;
}

/* a * b + c, rounded once; where bits do not count, as the compiler likes it. */
#ifdef __FAST_MATH__
#define FMA(a, b, c) ((a) * (b) + (c))
#else
#define FMA(a, b, c) fma(a, b, c)
#endif

INLINE double of_bits(int64_t bits) {
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

INLINE int64_t bits_of(double value) {
    int64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

/* x**exponent; beyond 3 with what rounding takes from each product. */
INLINE double power(double x, int exponent) {
    if (exponent <= 3) return exponent == 0 ? 1.0 : exponent == 1 ? x : x * x * (exponent == 3 ? x : 1.0);
    double result = 1.0, rest = 0.0, lost = 0.0;
    for (int bit = 0; bit < 4; bit++) {
        if (exponent >> bit & 1) {
            double product = result * x;
            rest = FMA(result, x, -product) + FMA(result, lost, rest * x);
            result = product;
        }
        double square = x * x;
        lost = FMA(x, x, -square) + 2.0 * (x * lost);
        x = square;
    }
    return result + rest;
}

/* arsinh(x), as ln(1 + y) for y = x + x**2 / (1 + sqrt(1 + x**2)), by artanh's series. */
INLINE double inverse_hyperbolic_sine(double x) {
    double size = fabs(x), square = size * size;
    int far = size > 1152921504606846976.0;
    double y = far ? size : size + square / (1.0 + sqrt(1.0 + square));
    int64_t bits = bits_of(1.0 + y), exponent = (bits >> 52) - 1023;
    double m = of_bits((bits & (((int64_t)1 << 52) - 1)) | (int64_t)1023 << 52);
    exponent += m > 1.4142135623730951;
    double scale = 0.25 * of_bits((1025 - exponent) << 52), n = (double)exponent + (far ? 1.0 : 0.0);
    double f = FMA(y, scale, scale - 1.0), s = f / (2.0 + f), z = s * s, z2 = z * z;
    double first = FMA(z, 0.3999999999941394, 0.6666666666666734), second = FMA(z, 0.22222198553395092, 0.2857142874256663);
    double third = FMA(z, 0.1531402068974668, 0.18183565425364695);
    double series = FMA(z2, FMA(z2, FMA(z2, 0.14796265243631757, third), second), first);
    double high = FMA(n, 0.6931471805599453, f), low = FMA(n, 0.6931471805599453, -high) + f;
    double rest = FMA(-s, FMA(-z, series, f), low) + FMA(n, 2.3190468138462996e-17, 0.0);
    return copysign(size < INFINITY ? high + rest : size, x);
}

/* n, such that x is near n ln 2, plus 1.5 * 2**52; and e**x / 2**n. */
INLINE double shifted(double x) { return FMA(x, 1.4426950408889634, 6755399441055744.0); }

INLINE double left(double x, double n) {
    double r = FMA(-n, 2.3190468138462996e-17, FMA(-n, 0.6931471805599453, x)), r2 = r * r, r4 = r2 * r2;
    double first = FMA(r, 0.16666666666666413, 0.5000000000000011), second = FMA(r, 0.008333333333494446, 0.04166666666653016);
    double third = FMA(r, 0.0001984126950660702, 0.0013888888943629925);
    double fourth = FMA(r, 2.755758635352228e-06, 2.480149309902565e-05);
    double fifth = FMA(r, 2.5000066626477466e-08, 2.763024836847288e-07);
    double curve = FMA(r4, FMA(r4, fifth, FMA(r2, fourth, third)), FMA(r2, second, first)), more = 1.0 + r;
    return more + FMA(r2, curve, (1.0 - more) + r);
}

/* e**x for x in [-708, 708]. */
INLINE double exponential_within(double x) {
#ifdef __FAST_MATH__
    double n = rint(x * 1.4426950408889634);
    return of_bits(bits_of(left(x, n)) + ((int64_t)n << 52));
#else
    double moved = shifted(x);
    return of_bits(bits_of(left(x, moved - 6755399441055744.0)) + (bits_of(moved) << 52));
#endif
}

/* e**x; beyond 708 on either side, the value there. */
INLINE double exponential_clipped(double x) { return exponential_within(within(x, -708.0, 708.0)); }

/* e**x. */
INLINE double exponential(double x) {
    x = within(x, -750.0, 720.0);
    double rounded = rint(x * 1.4426950408889634);
#ifndef __FAST_MATH__
    rounded = shifted(x) - 6755399441055744.0;
#endif
    int64_t n = (int64_t)rounded, half = n >> 1;
    return left(x, rounded) * of_bits((half + 1023) << 52) * of_bits((n - half + 1023) << 52);
}

/* The models: drift of variable v under the current i and the voltage u that it causes, and that voltage as output, for
 * one device whose states lie `apart` numbers from each other. */

INLINE double synapse_drift(int v, const double *x, int apart, double i, double u, const double *p) {
    double over = fabs(i) - p[1];
    over = over > 0.0 ? over : 0.0;
    return p[0] * copysign(over, i);
}

INLINE double synapse_output(const double *x, int apart, double i, const double *p) { return x[0] * i; }

#define node_drift synapse_drift

INLINE double node_output(const double *x, int apart, double i, const double *p) {
    return (0.5 * (p[2] + p[3]) - (p[3] - p[2]) / p[4] * x[0]) * i;
}

INLINE double ion_drift_drift(int v, const double *x, int apart, double i, double u, const double *p) {
    double off_centre = FMA(2.0, x[0], -1.0);
    return p[0] * i * (1.0 - power(off_centre * off_centre, WINDOW_EXPONENT));
}

INLINE double ion_drift_output(const double *x, int apart, double i, const double *p) {
    return FMA(-p[2], x[0], p[1]) * i;
}

INLINE double team_output(const double *x, int apart, double i, const double *p) { return FMA(p[1], x[0], p[0]) * i; }

#define vteam_output team_output

/* TEAM's law of the current, and VTEAM's of the voltage, with Kvatinsky's window. */
INLINE double threshold_drift(double x, double drive, const double *p, int alpha_off, int alpha_on) {
    double off = drive * p[2] - 1.0, on = drive * p[4] - 1.0;
    off = off > 0.0 ? off : 0.0;
    on = on > 0.0 ? on : 0.0;
    double away = drive > 0.0 ? FMA(x, p[8], -p[6]) : FMA(-x, p[8], p[7]);
    away = within(away, -40.0, 6.56); /* below, the window is 1 to the last bit: no subnormal powers */
    double speed = FMA(p[3], power(off, alpha_off), p[5] * power(on, alpha_on));
    return speed * exponential_within(-exponential_within(away));
}

INLINE double team_drift(int v, const double *x, int apart, double i, double u, const double *p) {
    return threshold_drift(x[0], i, p, TEAM_ALPHA_OFF, TEAM_ALPHA_ON);
}

INLINE double vteam_drift(int v, const double *x, int apart, double i, double u, const double *p) {
    return threshold_drift(x[0], u, p, VTEAM_ALPHA_OFF, VTEAM_ALPHA_ON);
}

INLINE double yakopcic_output(const double *x, int apart, double i, const double *p) {
    return inverse_hyperbolic_sine(i / ((i >= 0.0 ? p[0] : p[1]) * x[0])) * p[3];
}

INLINE double yakopcic_drift(int v, const double *x, int apart, double i, double u, const double *p) {
    double growth = exponential_clipped(fabs(u));
    double up = u > p[6] ? p[4] * (growth - exponential_clipped(p[6])) : 0.0;
    double down = u < -p[7] ? p[5] * (growth - exponential_clipped(p[7])) : 0.0;
    int grows = p[14] * u > 0.0;
    double beyond = grows ? x[0] - p[10] : p[11] - x[0];
    beyond = beyond > 0.0 ? beyond : 0.0;
    double window = exponential_clipped(-(grows ? p[8] : p[9]) * beyond) * FMA(-beyond, grows ? p[12] : p[13], 1.0);
    return p[14] * (up - down) * window;
}

INLINE double pershin_di_ventra_output(const double *x, int apart, double i, const double *p) { return x[0] * i; }

INLINE double pershin_di_ventra_drift(int v, const double *x, int apart, double i, double u, const double *p) {
    double over = fabs(u) - p[2];
    over = over > 0.0 ? over : 0.0;
    return FMA(p[0], u, (p[1] - p[0]) * copysign(over, u));
}

#define MEMRISTOR_VARIABLES (INPUTS + 2)

INLINE double threshold_memristor_drift(int v, const double *x, int apart, double i, double u, const double *p) {
    if (v == MEMRISTOR_VARIABLES - 1) return 0.0;
    double over = fabs(i) - p[3 + v];
    over = over >= 0.0 ? over : 0.0;
    over = fabs(i) < p[3 + v] + p[2] ? over : 0.0;
    return x[(MEMRISTOR_VARIABLES - 1) * apart] * copysign(over, i);
}

INLINE double threshold_memristor_output(const double *x, int apart, double i, const double *p) {
    double net = FMA(i, p[0], x[(MEMRISTOR_VARIABLES - 2) * apart]), smaller = exponential(-fabs(net));
    double below = 1.0 + smaller, per = 1.0 / below, above = net >= 0.0 ? 1.0 : smaller, q = above * per;
    return p[1] * (q + (FMA(-q, below, above) - q * (smaller - (below - 1.0))) * per);
}

/* One step of device j of a tile, at the voltage that the step before left: explicit Euler, or Heun's method. */

#define EULER(model, V)                                                                                        \
    double moved[V];                                                                                           \
    for (int v = 0; v < V; v++)                                                                                \
        moved[v] = within(FMA(dt, model##_drift(v, &x[0][j], TILE, i[j], volts[j], p), x[v][j]), low[v], high[v]); \
    for (int v = 0; v < V; v++) x[v][j] = moved[v];

#define HEUN(model, V)                                                                                   \
    double rate[V], ahead[V];                                                                            \
    for (int v = 0; v < V; v++) {                                                                        \
        rate[v] = model##_drift(v, &x[0][j], TILE, i[j], volts[j], p);                                   \
        ahead[v] = within(FMA(dt, rate[v], x[v][j]), low[v], high[v]);                                       \
    }                                                                                                    \
    double there = model##_output(ahead, 1, i[j], p);                                                    \
    for (int v = 0; v < V; v++)                                                                          \
        x[v][j] = within(FMA(0.5 * dt, rate[v] + model##_drift(v, ahead, 1, i[j], there, p), x[v][j]), low[v], high[v]);

/* A loop over the devices that a tile has; of a full tile its length is known to the compiler. */
#define OF_TILE(statement)                                      \
    if (count == TILE) for (int j = 0; j < TILE; j++) statement \
    else for (int j = 0; j < count; j++) statement

/* `pulses` pulses of `steps` steps; odd ones have the second half of `currents`. states: (V, elements). */
#define BANK(model, V, P, METHOD, suffix)                                                                        \
    void model##_##suffix(double *restrict states, const double *restrict currents, int64_t elements,            \
                          int64_t pulses, int64_t steps, double dt, const double *restrict parameters,           \
                          const double *restrict lower, const double *restrict upper, double *restrict voltages, \
                          double *restrict energies) {                                                           \
        double p[P], low[V], high[V];                                                                            \
        memcpy(p, parameters, sizeof p);                                                                         \
        memcpy(low, lower, sizeof low);                                                                          \
        memcpy(high, upper, sizeof high);                                                                        \
        for (int64_t pulse = 0; pulse < pulses; pulse++)                                                         \
            for (int64_t first = 0; first < elements; first += TILE) {                                           \
                const double *drive = currents + pulse % 2 * elements + first;                                   \
                int count = elements - first < TILE ? (int)(elements - first) : TILE;                            \
                double x[V][TILE], i[TILE], volts[TILE], total[TILE], moves[TILE];                               \
                int moving = 0;                                                                                  \
                for (int v = 0; v < V; v++) {                                                                    \
                    for (int j = 0; j < TILE; j++) x[v][j] = low[v];                                             \
                    OF_TILE(x[v][j] = states[v * elements + first + j];)                                         \
                }                                                                                                \
                for (int j = 0; j < TILE; j++) i[j] = 0.0;                                                       \
                OF_TILE(i[j] = drive[j];)                                                                        \
                for (int j = 0; j < TILE; j++) {                                                                 \
                    double drifts = 0.0;                                                                         \
                    volts[j] = model##_output(&x[0][j], TILE, i[j], p);                                          \
                    for (int v = 0; v < V; v++)                                                                  \
                        drifts = model##_drift(v, &x[0][j], TILE, i[j], volts[j], p) != 0.0 ? 1.0 : drifts;      \
                    moves[j] = drifts;                                                                           \
                    total[j] = 0.0;                                                                              \
                }                                                                                                \
                for (int j = 0; j < TILE; j++) moving |= moves[j] != 0.0;                                        \
                for (int64_t t = 0; moving && t < steps; t++)                                                    \
                    for (int j = 0; j < TILE; j++) {                                                             \
                        METHOD(model, V)                                                                         \
                        volts[j] = model##_output(&x[0][j], TILE, i[j], p);                                      \
                        total[j] += volts[j];                                                                    \
                    }                                                                                            \
                for (int v = 0; v < V; v++)                                                                      \
                    { OF_TILE(states[v * elements + first + j] = x[v][j];) }                                     \
                for (int j = 0; j < TILE; j++) total[j] = moves[j] == 1.0 ? total[j] : (double)steps * volts[j]; \
                OF_TILE(voltages[first + j] = volts[j];)                                                         \
                OF_TILE(energies[first + j] += i[j] * dt * total[j];)                                            \
            }                                                                                                    \
    }

#define BOTH(model, V, P) BANK(model, V, P, EULER, euler) BANK(model, V, P, HEUN, heun)

BOTH(synapse, 1, 2)
BOTH(node, 1, 5)
BOTH(ion_drift, 1, 3)
BOTH(team, 1, 9)
BOTH(vteam, 1, 9)
BOTH(yakopcic, 1, 15)
BOTH(pershin_di_ventra, 1, 3)
BOTH(threshold_memristor, MEMRISTOR_VARIABLES, (INPUTS + 4))
