/* The training of a multilayer perceptron of memristors (Algorithm 2), as one would write it in C.
 *
 * LANES realisations lie side by side, so that each loop over lanes becomes vector instructions. The layers' sizes are
 * fixed by -DSIZES=2,2,1 and -DLAYERS=2. Writes by amplitude, explicit Euler, the gradient's rules. With
 * -ffp-contract=off the results are those of memsim to the last bit.
 */

#include <math.h>
#include <stdint.h>
#include <string.h>

#ifndef LANES
#define LANES 16
#endif

#define MOST 4 /* units in a layer at most */
#define EACH_LANE for (int j = 0; j < LANES; j++)

static const int sizes[] = {SIZES};

/* A bank's calibration, in the order in which it is handed over. */
typedef struct {
    double k, threshold, lower, upper, r_on, r_off, thickness; /* of a node: a synapse has r_off = 0 */
    double read_current, driver_limit, state_per_weight, unit_current, bias_limit, resolution;
} Calibration;

typedef struct {
    double x[MOST * MOST][LANES], current[MOST * MOST][LANES], voltage[MOST * MOST][LANES], energy[MOST * MOST][LANES];
} Bank;

/* a * b + c, rounded once; where bits do not count, as the compiler likes it. */
#ifdef __FAST_MATH__
#define FMA(a, b, c) ((a) * (b) + (c))
#else
#define FMA(a, b, c) fma(a, b, c)
#endif

static inline double within(double value, double lower, double upper) {
    value = value < lower ? lower : value;
    return value > upper ? upper : value;
}

static inline double conducted(const Calibration *c, double x, double current) {
    double memristance = 0.5 * (c->r_on + c->r_off) - (c->r_off - c->r_on) / c->thickness * x;
    return (c->r_off > 0.0 ? memristance : x) * current;
}

/* Carry the devices of a bank through a pulse. */
static inline void drive(Bank *bank, const Calibration *given, int devices, int64_t steps, double dt) {
    const Calibration c = *given;
    for (int d = 0; d < devices; d++) {
        double x[LANES], current[LANES], volts[LANES], total[LANES], moved[LANES];
        int moving = 0;
        EACH_LANE {
            x[j] = bank->x[d][j];
            current[j] = bank->current[d][j];
            double over = fabs(current[j]) - c.threshold;
            over = over > 0.0 ? over : 0.0;
            moved[j] = c.k * copysign(over, current[j]);
            total[j] = 0.0;
            volts[j] = conducted(&c, x[j], current[j]);
        }
        EACH_LANE moving |= moved[j] != 0.0;
        for (int64_t t = 0; moving && t < steps; t++) EACH_LANE {
            x[j] = within(FMA(dt, moved[j], x[j]), c.lower, c.upper);
            volts[j] = conducted(&c, x[j], current[j]);
            total[j] += volts[j];
        }
        EACH_LANE {
            total[j] = moved[j] != 0.0 ? total[j] : (double)steps * volts[j];
            bank->energy[d][j] += current[j] * dt * total[j];
            bank->x[d][j] = x[j];
            bank->voltage[d][j] = volts[j];
        }
    }
}

/* Weights times values: rows get a signal, or columns where `back`; the sums go to `sums`. */
static inline void read_synapses(Bank *bank, const Calibration *c, int rows, int columns, int back, int64_t steps,
                                 double dt, double values[MOST][LANES], double sums[MOST][LANES]) {
    double scale[LANES];
    EACH_LANE scale[j] = 0.0;
    for (int u = 0; u < (back ? columns : rows); u++)
        EACH_LANE scale[j] = fabs(values[u][j]) > scale[j] ? fabs(values[u][j]) : scale[j];
    for (int r = 0; r < rows; r++)
        for (int k = 0; k < columns; k++) EACH_LANE {
            double value = values[back ? k : r][j];
            bank->current[r * columns + k][j] = value / (scale[j] > 0.0 ? scale[j] : 1.0) * c->read_current;
        }
    drive(bank, c, rows * columns, steps, dt);
    for (int u = 0; u < (back ? rows : columns); u++) {
        double total[LANES];
        EACH_LANE total[j] = 0.0;
        for (int n = 0; n < (back ? columns : rows); n++)
            EACH_LANE total[j] += bank->voltage[back ? u * columns + n : n * columns + u][j];
        EACH_LANE sums[u][j] = total[j] * (1.0 / c->state_per_weight / c->read_current * scale[j]);
    }
}

/* Amplitudes for changes of weights, and their pulses. */
static inline void write(Bank *bank, const Calibration *c, int devices, int64_t steps, double dt) {
    double pulses_a_second = 1.0 / ((double)steps * dt), charge_per_weight = c->state_per_weight / c->k;
    for (int d = 0; d < devices; d++) EACH_LANE {
        double charge = bank->current[d][j] * charge_per_weight;
        double amplitude = c->threshold + fabs(charge) * pulses_a_second;
        amplitude = amplitude > c->driver_limit ? c->driver_limit : amplitude;
        bank->current[d][j] = fabs(charge) > c->resolution ? copysign(amplitude, charge) : 0.0;
    }
    drive(bank, c, devices, steps, dt);
}

typedef struct {
    double signal[LAYERS + 1][MOST][LANES], net[LAYERS + 1][MOST][LANES], slope[LAYERS + 1][MOST][LANES];
    double arriving[LAYERS + 1][MOST][LANES], gradient[LAYERS + 1][MOST][LANES], bias[LAYERS + 1][MOST][LANES];
} Controller;

/* READ and RESTORE the nodes of a layer: outputs, slopes, bias weights. */
static inline void read_nodes(Controller *m, Bank *bank, const Calibration *c, int layer, int64_t steps, double dt) {
    int units = sizes[layer];
    double time = (double)steps * dt, factor = 2.0 / (c->r_on + c->r_off);
    double drift_slope = factor * (c->r_off - c->r_on) / c->thickness * c->k * time;
    for (int u = 0; u < units; u++) EACH_LANE bank->current[u][j] = m->net[layer][u][j] * c->unit_current;
    drive(bank, c, units, steps, dt);
    for (int u = 0; u < units; u++) EACH_LANE {
        double current = bank->current[u][j], volts = bank->voltage[u][j];
        double resistance = volts / (current != 0.0 ? current : 1.0);
        double doped = (c->r_off - resistance) / (c->r_off - c->r_on);
        double over = fabs(current) - c->threshold;
        over = over > 0.0 ? over : 0.0;
        int is_free = (over > 0.0) & (doped > 1e-12) & (doped < 1.0 - 1e-12);
        double slope = factor * resistance - (is_free ? drift_slope * current : 0.0);
        double moved = c->k * time * copysign(over, current);
        double bias = within(2.0 * ((doped - 0.5) - moved / c->thickness), -1.0, 1.0);
        m->signal[layer][u][j] = factor * volts / c->unit_current;
        m->slope[layer][u][j] = current != 0.0 ? slope : 0.0;
        m->bias[layer][u][j] = current != 0.0 ? bias : m->bias[layer][u][j];
        bank->current[u][j] = m->net[layer][u][j] * -c->unit_current;
    }
    drive(bank, c, units, steps, dt);
}

static inline void write_nodes(Controller *m, Bank *bank, const Calibration *c, int layer, double rate, int64_t steps,
                               double dt) {
    double contrast = (c->r_off - c->r_on) / (c->r_off + c->r_on);
    for (int u = 0; u < sizes[layer]; u++) EACH_LANE {
        double bias = m->bias[layer][u][j];
        double change = -rate * m->arriving[layer][u][j] * contrast * m->net[layer][u][j];
        double room = change > 0.0 ? c->bias_limit - bias : -c->bias_limit - bias;
        /* Never further than the limit, never more than was asked for, never the other way. */
        double up = room < 0.0 ? 0.0 : room, down = room > 0.0 ? 0.0 : room;
        double most = change > 0.0 ? (change < up ? change : up) : (change > down ? change : down);
        change = fabs(bias + change) <= c->bias_limit ? change : most;
        m->bias[layer][u][j] = bias + change;
        bank->current[u][j] = change;
    }
    write(bank, c, sizes[layer], steps, dt);
}

/* All pulses of a sample. */
static inline void show(Controller *m, Bank *banks, const Calibration *c, double rate, int64_t steps, double dt,
                        double target[MOST][LANES], double error[LANES]) {
    for (int l = 1; l <= LAYERS; l++) {
        Bank *synapses = banks + 2 * l - 2;
        read_synapses(synapses, c + 2 * l - 2, sizes[l - 1], sizes[l], 0, steps, dt, m->signal[l - 1], m->net[l]);
        read_nodes(m, banks + 2 * l - 1, c + 2 * l - 1, l, steps, dt);
    }
    double own[LANES];
    EACH_LANE own[j] = 0.0;
    for (int u = 0; u < sizes[LAYERS]; u++) EACH_LANE {
        double difference = target[u][j] - m->signal[LAYERS][u][j];
        own[j] += 0.5 * difference * difference;
        m->arriving[LAYERS][u][j] = difference;
        m->gradient[LAYERS][u][j] = difference * m->slope[LAYERS][u][j];
    }
    EACH_LANE error[j] += own[j];
    for (int l = LAYERS; l > 1; l--) {
        Bank *synapses = banks + 2 * l - 2;
        read_synapses(synapses, c + 2 * l - 2, sizes[l - 1], sizes[l], 1, steps, dt, m->gradient[l], m->arriving[l - 1]);
        for (int u = 0; u < sizes[l - 1]; u++)
            EACH_LANE m->gradient[l - 1][u][j] = m->arriving[l - 1][u][j] * m->slope[l - 1][u][j];
    }
    for (int l = 1; l <= LAYERS; l++) {
        Bank *synapses = banks + 2 * l - 2;
        for (int r = 0; r < sizes[l - 1]; r++)
            for (int k = 0; k < sizes[l]; k++)
                EACH_LANE synapses->current[r * sizes[l] + k][j] = rate * m->gradient[l][k][j] * m->signal[l - 1][r][j];
        write(synapses, c + 2 * l - 2, sizes[l - 1] * sizes[l], steps, dt);
        write_nodes(m, banks + 2 * l - 1, c + 2 * l - 1, l, rate, steps, dt);
    }
}

/* Train all lanes, LANES at a time. states, energies: (devices, lanes) of all banks; order: (epochs, samples, lanes);
 * errors: (epochs, lanes). Lanes beyond the last are copies of it. */
void learn(double *states, double *energies, const Calibration *calibrations, const double *inputs,
           const double *targets, const uint32_t *order, double *errors, int64_t lanes, int64_t epochs, int64_t samples,
           double rate, int64_t steps, double dt) {
    for (int64_t first = 0; first < lanes; first += LANES) {
        Bank banks[2 * LAYERS];
        Controller m;
        int64_t lane[LANES];
        memset(&m, 0, sizeof m);
        memset(banks, 0, sizeof banks);
        EACH_LANE lane[j] = first + j < lanes ? first + j : lanes - 1;
        int row = 0;
        for (int b = 0; b < 2 * LAYERS; b++)
            for (int d = 0; d < (b % 2 ? sizes[b / 2 + 1] : sizes[b / 2] * sizes[b / 2 + 1]); d++, row++)
                EACH_LANE banks[b].x[d][j] = states[row * lanes + lane[j]];
        for (int64_t e = 0; e < epochs; e++) {
            double error[LANES] = {0.0};
            for (int64_t s = 0; s < samples; s++) {
                double target[MOST][LANES];
                EACH_LANE {
                    int64_t sample = order[(e * samples + s) * lanes + lane[j]];
                    for (int u = 0; u < sizes[0]; u++) m.signal[0][u][j] = inputs[sample * sizes[0] + u];
                    for (int u = 0; u < sizes[LAYERS]; u++) target[u][j] = targets[sample * sizes[LAYERS] + u];
                }
                show(&m, banks, calibrations, rate, steps, dt, target, error);
            }
            EACH_LANE errors[e * lanes + lane[j]] = error[j];
        }
        row = 0;
        for (int b = 0; b < 2 * LAYERS; b++)
            for (int d = 0; d < (b % 2 ? sizes[b / 2 + 1] : sizes[b / 2] * sizes[b / 2 + 1]); d++, row++) EACH_LANE {
                states[row * lanes + lane[j]] = banks[b].x[d][j];
                energies[row * lanes + lane[j]] = banks[b].energy[d][j];
            }
    }
}
