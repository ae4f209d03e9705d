"""Its own integration, by coordinates; the energies must also be those that the benchmark publishes."""
import itertools
import math

SUN, DAYS = 4 * math.pi ** 2, 365.24
BODIES = [
    [(0.0, 0.0, 0.0), (0.0, 0.0, 0.0), 1.0],
    [(4.84143144246472090, -1.16032004402742839, -0.103622044471123109),
     (0.00166007664274403694, 0.00769901118419740425, -0.0000690460016972063023), 0.000954791938424326609],
    [(8.34336671824457987, 4.12479856412430479, -0.403523417114321381),
     (-0.00276742510726411899, 0.00499852801234917238, 0.0000230417297573763929), 0.000285885980666130812],
    [(12.8943695621391310, -15.1111514016986312, -0.223307578892655734),
     (0.00296460137564761618, 0.00237847173959480950, -0.0000296589568540237556), 0.0000436624404335156298],
    [(15.3796971148509165, -25.9193146099879641, 0.179258772950371181),
     (0.00268067772490389322, 0.00162824170038242295, -0.0000951592254519715870), 0.0000515138902046611451],
]
place = [list(p) for p, _, _ in BODIES]
speed = [[c * DAYS for c in v] for _, v, _ in BODIES]
mass = [m * SUN for _, _, m in BODIES]
speed[0] = [-math.fsum(m * v[k] for m, v in zip(mass, speed)) / SUN for k in range(3)]


def energy():
    moving = math.fsum(m * math.fsum(c * c for c in v) / 2 for m, v in zip(mass, speed))
    return moving - math.fsum(mass[i] * mass[j] / math.dist(place[i], place[j])
                              for i, j in itertools.combinations(range(5), 2))


def step(dt):
    for i, j in itertools.combinations(range(5), 2):
        pull = dt / math.dist(place[i], place[j]) ** 3
        for k in range(3):
            d = place[i][k] - place[j][k]
            speed[i][k] -= d * mass[j] * pull
            speed[j][k] += d * mass[i] * pull
    for p, v in zip(place, speed):
        for k in range(3):
            p[k] += dt * v[k]


first = "%.9f" % energy()
for _ in range(1000):
    step(0.01)
last = "%.9f" % energy()
assert (first, last) == ("-0.169075164", "-0.169087605")
print(first, last, sep="\n")
