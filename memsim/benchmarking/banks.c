/* What memsim's pulse kernel does, for each device model, as one would write it in C.
 *
 * Devices are taken in tiles of TILE, which fit the registers; a tile is carried through the whole pulse. With
 * -ffp-contract=off the results are those of memsim's kernels to the last bit, for any TILE.
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

INLINE double power(double x, int exponent) {
    double result = 1.0;
    for (int bit = 0; bit < 4; bit++, x *= x)
        if (exponent >> bit & 1) result *= x;
    return result;
}

/* arsinh(x), as ln(1 + y) for y = x + x**2 / (1 + sqrt(1 + x**2)), by artanh's series. */
INLINE double inverse_hyperbolic_sine(double x) {
    double size = fabs(x), most = 134217728.0, small = size > most ? most : size, square = small * small;
    double y = size > most ? 2.0 * size - 1.0 : small + square / (1.0 + sqrt(1.0 + square));
    double u = 1.0 + y, lost = (y - (u - 1.0)) / u, m;
    int64_t bits;
    memcpy(&bits, &u, sizeof u);
    double n = (double)((bits >> 52) - 1023);
    bits = (bits & (((int64_t)1 << 52) - 1)) | (int64_t)1023 << 52;
    memcpy(&m, &bits, sizeof m);
    n = m > 1.4142135623730951 ? n + 1.0 : n;
    m = m > 1.4142135623730951 ? 0.5 * m : m;
    double f = m - 1.0, s = f / (2.0 + f), z = s * s, z2 = z * z, z4 = z2 * z2;
    double low = (2.0 / 3.0 + z * (2.0 / 5.0)) + z2 * (2.0 / 7.0 + z * (2.0 / 9.0));
    double middle = (2.0 / 11.0 + z * (2.0 / 13.0)) + z2 * (2.0 / 15.0 + z * (2.0 / 17.0));
    double high = 2.0 / 19.0 + z * (2.0 / 21.0);
    double series = z * ((low + z4 * middle) + (z4 * z4) * high);
    double rest = (f - s * (f - series)) + (n * 1.90821492927058770002e-10 + lost);
    return copysign(n * 0.693147180369123816490 + rest, x);
}

/* e**x for x in [-708, 708]: Taylor's series after taking off the nearest multiple of ln 2. */
INLINE double exponential(double x) {
    x = within(x, -708.0, 708.0);
    double n = rint(x * 1.4426950408889634);
    double r = (x - n * 0.693147180369123816490) - n * 1.90821492927058770002e-10;
    double r2 = r * r, r4 = r2 * r2;
    double low = (1.0 / 2.0 + r * (1.0 / 6.0)) + r2 * (1.0 / 24.0 + r * (1.0 / 120.0));
    double middle = (1.0 / 720.0 + r * (1.0 / 5040.0)) + r2 * (1.0 / 40320.0 + r * (1.0 / 362880.0));
    double high = (1.0 / 3628800.0 + r * (1.0 / 39916800.0)) + r2 * (1.0 / 479001600.0 + r * (1.0 / 6227020800.0));
    double series = 1.0 + (r + r2 * ((low + r4 * middle) + (r4 * r4) * high));
    int64_t bits = ((int64_t)n + 1023) << 52;
    double two_to_n;
    memcpy(&two_to_n, &bits, sizeof two_to_n);
    return series * two_to_n;
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
    double off_centre = 2.0 * x[0] - 1.0;
    return p[0] * i * (1.0 - power(off_centre * off_centre, WINDOW_EXPONENT));
}

INLINE double ion_drift_output(const double *x, int apart, double i, const double *p) {
    return (p[1] - p[2] * x[0]) * i;
}

INLINE double team_output(const double *x, int apart, double i, const double *p) { return (p[0] + p[1] * x[0]) * i; }

#define vteam_output team_output

/* TEAM's law of the current, and VTEAM's of the voltage, with Kvatinsky's window. */
INLINE double threshold_drift(double x, double drive, const double *p, int alpha_off, int alpha_on) {
    double off = drive * p[2] - 1.0, on = drive * p[4] - 1.0;
    off = off > 0.0 ? off : 0.0;
    on = on > 0.0 ? on : 0.0;
    double away = drive > 0.0 ? x * p[8] - p[6] : p[7] - x * p[8];
    away = away > -40.0 ? away : -40.0; /* where the window is 1 to the last bit: no subnormal powers */
    return (p[3] * power(off, alpha_off) + p[5] * power(on, alpha_on)) * exponential(-exponential(away));
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
    double growth = exponential(fabs(u));
    double up = u > p[6] ? p[4] * (growth - exponential(p[6])) : 0.0;
    double down = u < -p[7] ? p[5] * (growth - exponential(p[7])) : 0.0;
    int grows = p[14] * u > 0.0;
    double beyond = grows ? x[0] - p[10] : p[11] - x[0];
    beyond = beyond > 0.0 ? beyond : 0.0;
    double window = exponential(-(grows ? p[8] : p[9]) * beyond) * (1.0 - beyond * (grows ? p[12] : p[13]));
    return p[14] * (up - down) * window;
}

INLINE double pershin_di_ventra_output(const double *x, int apart, double i, const double *p) { return x[0] * i; }

INLINE double pershin_di_ventra_drift(int v, const double *x, int apart, double i, double u, const double *p) {
    double over = fabs(u) - p[2];
    over = over > 0.0 ? over : 0.0;
    return p[0] * u + (p[1] - p[0]) * copysign(over, u);
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
    double net = i * p[0] + x[(MEMRISTOR_VARIABLES - 2) * apart];
    return p[1] * (1.0 / (1.0 + exponential(-net)));
}

/* One step of device j of a tile, at the voltage that the step before left: explicit Euler, or Heun's method. */

#define EULER(model, V)                                                                                        \
    double moved[V];                                                                                           \
    for (int v = 0; v < V; v++)                                                                                \
        moved[v] = within(x[v][j] + dt * model##_drift(v, &x[0][j], TILE, i[j], volts[j], p), low[v], high[v]); \
    for (int v = 0; v < V; v++) x[v][j] = moved[v];

#define HEUN(model, V)                                                                                   \
    double rate[V], ahead[V];                                                                            \
    for (int v = 0; v < V; v++) {                                                                        \
        rate[v] = model##_drift(v, &x[0][j], TILE, i[j], volts[j], p);                                   \
        ahead[v] = within(x[v][j] + dt * rate[v], low[v], high[v]);                                      \
    }                                                                                                    \
    double there = model##_output(ahead, 1, i[j], p);                                                    \
    for (int v = 0; v < V; v++)                                                                          \
        x[v][j] = within(x[v][j] + (0.5 * dt) * (rate[v] + model##_drift(v, ahead, 1, i[j], there, p)), low[v], high[v]);

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
