package sim

import (
	"fmt"
	"math/rand/v2"

	"nhip"
)

// MaxBuses is the number of distinct plates in one series: 29B-100.00 to 29B-999.99.
const MaxBuses = 90_000

// plate returns the id of the i-th bus. Steps of a prime give distinct numbers that are not visibly consecutive.
func plate(i int) string { return fmt.Sprintf("29B%05d", 10_000+(2345+i*7919)%MaxBuses) }

func newBuses(n int, seed uint64, now int64) []*bus {
	buses := make([]*bus, n)
	for i := range buses {
		rng := rand.New(rand.NewPCG(seed, uint64(i)))
		b := &bus{id: plate(i), sendsTrip: i%2 == 0, rng: rng, now: now, driverFactor: 0.95 + 0.1*rng.Float64()}
		b.topic = "nhip/in/position/" + b.id
		b.receiver.heading = -1
		b.receiver.updatedAt = now - 1000 // long ago, so that the first error is independent
		b.receiver.planOutage(rng, now)
		buses[i] = b
	}
	return buses
}

// occupancies are ordered by load, from an empty bus to a full one.
var occupancies = [...]nhip.Occupancy{
	nhip.OccupancyEmpty, nhip.OccupancyManySeats, nhip.OccupancyManySeats, nhip.OccupancyFewSeats,
	nhip.OccupancyFewSeats, nhip.OccupancyStanding, nhip.OccupancyCrushed,
}

// occupancy returns the bus's occupancy, which is highest in the middle of a journey and in the rush hours.
func (b *bus) occupancy(w *world) nhip.Occupancy {
	if b.activity == waiting {
		return nhip.OccupancyEmpty
	}
	x := b.d / max(b.pattern.path.length(), 1)
	load := 4 * x * (1 - x) * (0.35 + 0.65*trafficLoad(w.second(b.now))) * b.driverFactor
	i := int(load * float64(len(occupancies)))
	return occupancies[min(max(i, 0), len(occupancies)-1)]
}
