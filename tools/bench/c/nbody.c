// tests/programs/nbody.vita in plain C.
#define NO_RESULT
#include "main.h"

typedef struct Body {
    double x, y, z, vx, vy, vz, mass;
} Body;

#define SUN 39.47841760435743
#define DAYS 365.24

static Body *body(double x, double y, double z, double vx, double vy, double vz, double mass) {
    Body *b = malloc(sizeof *b);
    *b = (Body){x, y, z, vx * DAYS, vy * DAYS, vz * DAYS, mass * SUN};
    return b;
}

static void offset(Body **all, int64_t n) {
    double px = 0.0;
    double py = 0.0;
    double pz = 0.0;
    for (int64_t i = 0; i < n; i++) {
        px += all[i]->vx * all[i]->mass;
        py += all[i]->vy * all[i]->mass;
        pz += all[i]->vz * all[i]->mass;
    }
    all[0]->vx = -px / SUN;
    all[0]->vy = -py / SUN;
    all[0]->vz = -pz / SUN;
}

static double energy(Body **all, int64_t n) {
    double e = 0.0;
    for (int64_t i = 0; i < n; i++) {
        Body *b = all[i];
        e += 0.5 * b->mass * (b->vx * b->vx + b->vy * b->vy + b->vz * b->vz);
        for (int64_t j = i + 1; j < n; j++) {
            Body *c = all[j];
            double dx = b->x - c->x;
            double dy = b->y - c->y;
            double dz = b->z - c->z;
            e -= b->mass * c->mass / __builtin_sqrt(dx * dx + dy * dy + dz * dz);
        }
    }
    return e;
}

static void advance(Body **all, int64_t n, double dt) {
    for (int64_t i = 0; i < n; i++) {
        Body *b = all[i];
        for (int64_t j = i + 1; j < n; j++) {
            Body *c = all[j];
            double dx = b->x - c->x;
            double dy = b->y - c->y;
            double dz = b->z - c->z;
            double d2 = dx * dx + dy * dy + dz * dz;
            double mag = dt / (d2 * __builtin_sqrt(d2));
            b->vx -= dx * c->mass * mag;
            b->vy -= dy * c->mass * mag;
            b->vz -= dz * c->mass * mag;
            c->vx += dx * b->mass * mag;
            c->vy += dy * b->mass * mag;
            c->vz += dz * b->mass * mag;
        }
    }
    for (int64_t i = 0; i < n; i++) {
        Body *b = all[i];
        b->x += dt * b->vx;
        b->y += dt * b->vy;
        b->z += dt * b->vz;
    }
}

static int64_t program(void) {
    Body *all[5] = {
        body(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0),
        body(4.841431442464721, -1.1603200440274284, -0.10362204447112311, 0.001660076642744037, 0.007699011184197404,
             -6.90460016972063e-05, 0.0009547919384243266),
        body(8.34336671824458, 4.124798564124305, -0.4035234171143214, -0.002767425107264119, 0.004998528012349172,
             2.3041729757376393e-05, 0.0002858859806661308),
        body(12.894369562139131, -15.111151401698631, -0.22330757889265573, 0.002964601375647616, 0.0023784717395948095,
             -2.9658956854023756e-05, 4.366244043351563e-05),
        body(15.379697114850917, -25.919314609987964, 0.17925877295037118, 0.0026806777249038932, 0.001628241700382423,
             -9.515922545197159e-05, 5.1513890204661145e-05),
    };
    offset(all, 5);
    print_fixed(energy(all, 5), 9);
    PRINT("\n");
    for (int64_t k = 0; k < 1000; k++) advance(all, 5, 0.01);
    print_fixed(energy(all, 5), 9);
    PRINT("\n");
    for (int64_t k = 0; k < 5; k++) free(all[k]);
    return 0;
}
