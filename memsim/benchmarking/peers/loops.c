/* The peers' problems as one would write them in C: devices in tiles that fit the registers, a tile through a pulse.
 *
 * States alone are kept. No state meets a bound, so that none is looked for.
 */

#include <math.h>
#include <stdint.h>

#ifndef TILE
#define TILE 64
#endif

#define INLINE static inline __attribute__((always_inline))

/* Drifts in the state's unit a second, from what a pulse keeps constant: a, b of a device, p of all. */

INLINE double ion_drift(double x, double a, double b, const double *p) {
    double off_centre = 2.0 * x - 1.0;
    return a * (1.0 - off_centre * off_centre);
}

INLINE double vteam_up(double x, double a, double b, const double *p) {
    double over = fmax(a * x + b, 0.0);
    return p[0] * over * exp(-exp(x * p[1] - p[2]));
}

INLINE double vteam_down(double x, double a, double b, const double *p) {
    double over = fmax(a * x + b, 0.0);
    return p[0] * over * over * over * exp(-exp(x * p[1] - p[2]));
}

INLINE double synapse(double x, double a, double b, const double *p) { return a; }

#define EULER(drift) x[j] += dt * drift(x[j], a[j], b[j], p);

#define HEUN(drift)                                       \
    double k1 = drift(x[j], a[j], b[j], p);               \
    double k2 = drift(x[j] + dt * k1, a[j], b[j], p);     \
    x[j] += 0.5 * dt * (k1 + k2);

#define RK4(drift)                                          \
    double k1 = drift(x[j], a[j], b[j], p);                 \
    double k2 = drift(x[j] + 0.5 * dt * k1, a[j], b[j], p); \
    double k3 = drift(x[j] + 0.5 * dt * k2, a[j], b[j], p); \
    double k4 = drift(x[j] + dt * k3, a[j], b[j], p);       \
    x[j] += dt / 6.0 * (k1 + 2.0 * (k2 + k3) + k4);

/* One pulse of `steps` steps; a, b: (devices,), states in place. A tile that is not full is one that is, in part. */
#define PULSE(drift, METHOD, suffix)                                                                                  \
    void drift##_##suffix(double *restrict states, const double *restrict as, const double *restrict bs,              \
                          int64_t devices, int64_t steps, double dt, const double *restrict p) {                      \
        for (int64_t first = 0; first < devices; first += TILE) {                                                     \
            int count = devices - first < TILE ? (int)(devices - first) : TILE;                                       \
            double x[TILE] = {0}, a[TILE] = {0}, b[TILE] = {0};                                                       \
            for (int j = 0; j < count; j++) x[j] = states[first + j], a[j] = as[first + j], b[j] = bs[first + j];     \
            for (int64_t t = 0; t < steps; t++)                                                                       \
                for (int j = 0; j < TILE; j++) { METHOD(drift) }                                                      \
            for (int j = 0; j < count; j++) states[first + j] = x[j];                                                 \
        }                                                                                                             \
    }

#define ALL(drift) PULSE(drift, EULER, euler) PULSE(drift, HEUN, heun) PULSE(drift, RK4, rk4)

ALL(ion_drift)
ALL(vteam_up)
ALL(vteam_down)
ALL(synapse)
