package sim

import (
	"fmt"
	"math/rand/v2"

	"nhip"
)

// MaxBuses is the most buses that plates of one series (29B-000.00 to 29B-999.99 without those that
// begin with 0) can tell apart.
const MaxBuses = 90_000

// plate returns the i-th bus's id. Steps of a prime give every bus another number without counting
// up visibly.
func plate(i int) string { return fmt.Sprintf("29B%05d", 10_000+(2345+i*7919)%MaxBuses) }

func newBuses(n int, seed uint64, now int64) []*bus {
	buses := make([]*bus, n)
	for i := range buses {
		rng := rand.New(rand.NewPCG(seed, uint64(i)))
		b := &bus{id: plate(i), speaks: i%2 == 0, rng: rng, now: now, driver: 0.95 + 0.1*rng.Float64()}
		b.topic = "nhip/in/position/" + b.id
		b.receiver.heading = -1
		b.receiver.fixed = now - 1000 // long ago: the first error is drawn whole
		b.receiver.plan(rng, now)
		buses[i] = b
	}
	return buses
}

// occupancies are by load, from an empty bus to a full one.
var occupancies = [...]nhip.Occupancy{
	nhip.OccupancyEmpty, nhip.OccupancyManySeats, nhip.OccupancyManySeats, nhip.OccupancyFewSeats,
	nhip.OccupancyFewSeats, nhip.OccupancyStanding, nhip.OccupancyCrushed,
}

// occupancy is fullest in the middle of the way and in the rush.
func (b *bus) occupancy(w *world) nhip.Occupancy {
	if b.doing == waiting {
		return nhip.OccupancyEmpty
	}
	x := b.d / max(b.pattern.path.length(), 1)
	load := 4 * x * (1 - x) * (0.35 + 0.65*busyness(w.second(b.now))) * b.driver
	i := int(load * float64(len(occupancies)))
	return occupancies[min(max(i, 0), len(occupancies)-1)]
}
