package quota

import (
	"fmt"
	"net/netip"
	"testing"
	"time"
)

var usual = Limits{Client: 10, Key: 100, Spare: 1000}

// city is a quota with a clock of its own.
type city struct {
	*Quota
	now time.Duration
}

func newCity(l Limits) *city {
	c := new(city)
	c.Quota = newQuota(l, func() time.Duration { return c.now })
	return c
}

func at(addr string, port int) netip.AddrPort {
	return netip.AddrPortFrom(netip.MustParseAddr(addr), uint16(port))
}

// tally counts the outcomes of requests.
type tally [len(Outcomes)]int

func (t *tally) served() int { return t[Within] + t[Spare] }

func (c *city) ask(t *tally, who *Caller, class Class, idle bool) {
	t[c.Take(who, class.Cost, idle).Outcome]++
}

// scraper asks for lists as fast as it can, over one connection or over a new one each time.
type scraper struct {
	addr      string
	agent     uint64
	reconnect bool
	port      int
	result    tally
}

func (s *scraper) ask(c *city, n int) {
	for range n {
		if s.reconnect {
			s.port++
		}
		c.ask(&s.result, &Caller{From: at(s.addr, 10_000+s.port%50_000), Agent: s.agent}, List, false)
	}
}

// TestCarrierNATIsServedAndScrapersAreSlowed lets 5,000 phones behind one address open the map within a minute and
// then ask for departures every ten seconds, while the server has no time to spare. Scrapers ask 200 times a second:
// one at another address and one behind that of the phones, over one connection each, and two more over new ones.
func TestCarrierNATIsServedAndScrapersAreSlowed(t *testing.T) {
	const phones, nat, seconds, pace = 5_000, "203.0.113.7", 120, 200
	c := newCity(usual)
	scrapers := map[string]*scraper{
		"elsewhere":               {addr: "198.51.100.1", agent: 5},
		"behind the NAT":          {addr: nat, agent: 5},
		"elsewhere, reconnecting": {addr: "198.51.100.2", agent: 5, reconnect: true},
		"reconnecting behind it":  {addr: nat, agent: 5, reconnect: true},
	}
	var riders tally
	for second := range seconds {
		c.now = time.Duration(second) * time.Second
		for i := range phones {
			who := &Caller{From: at(nat, 1000+i), Agent: uint64(10 + i%20)}
			switch begins := i * 60 / phones; {
			case second == begins:
				for range 10 {
					c.ask(&riders, who, Cheap, false)
					c.ask(&riders, who, List, false)
				}
			case second > begins && (second-begins)%10 == 0:
				c.ask(&riders, who, List, false)
			}
		}
		for _, s := range scrapers {
			s.ask(c, pace)
		}
	}
	if riders.served() < 999*(riders.served()+riders[Limited])/1000 {
		t.Errorf("of the riders' requests %d were served and %d refused", riders.served(), riders[Limited])
	}
	for name, s := range scrapers {
		if most := 0.6 * seconds * pace; float64(s.result.served()) > most {
			t.Errorf("%s: %d of %d served", name, s.result.served(), seconds*pace)
		}
	}
	t.Logf("riders %v; elsewhere %v, behind %v, reconnecting %v and %v", riders, scrapers["elsewhere"].result,
		scrapers["behind the NAT"].result, scrapers["elsewhere, reconnecting"].result,
		scrapers["reconnecting behind it"].result)
}

// TestPhonesThatReconnectAreServed gives each of 5,000 phones a new connection every minute.
func TestPhonesThatReconnectAreServed(t *testing.T) {
	const phones, seconds = 5_000, 130
	c := newCity(usual)
	var riders tally
	port := 0
	for second := range seconds {
		c.now = time.Duration(second) * time.Second
		for i := range phones {
			if i%10 != second%10 {
				continue
			}
			port = i + phones*(second/60)
			c.ask(&riders, &Caller{From: at("203.0.113.7", 1+port)}, List, false)
		}
	}
	if riders[Limited] > 0 {
		t.Errorf("%v", riders)
	}
}

// TestSpareIsServedWhileIdle asks far beyond a share.
func TestSpareIsServedWhileIdle(t *testing.T) {
	for _, idle := range []bool{true, false} {
		c := newCity(usual)
		var one, other tally
		for ms := range 60_000 {
			c.now = time.Duration(ms) * time.Millisecond
			c.ask(&one, &Caller{From: at("198.51.100.1", 1)}, List, idle)
			if ms%100 == 0 {
				c.ask(&other, &Caller{From: at("198.51.100.2", 1)}, Cheap, idle)
			}
		}
		units := float64(one.served()) * List.Cost
		share := usual.Client * (60 + Seconds)
		if spare := usual.Spare / 2 * 61; idle && (units < share+0.9*spare || units > share+1.1*spare) ||
			!idle && units > share+1 {
			t.Errorf("idle %v: %.0f units served", idle, units)
		}
		if other[Limited] > 0 {
			t.Errorf("idle %v: another client was refused %d times", idle, other[Limited])
		}
	}
}

// TestKeysHaveTheirRate uses a key from the address of a scraper.
func TestKeysHaveTheirRate(t *testing.T) {
	c := newCity(usual)
	var key, none tally
	for ms := range 50_000 {
		c.now = time.Duration(ms) * time.Millisecond
		c.ask(&none, &Caller{From: at("198.51.100.1", 1)}, List, false)
		if ms%10 == 0 { // 100 a second
			c.ask(&key, &Caller{Key: "app", From: at("198.51.100.1", 1)}, Cheap, false)
		}
	}
	if key[Limited] > 0 || none[Limited] < 45_000 {
		t.Errorf("key %v, none %v", key, none)
	}
	var beyond tally
	for range 10_000 {
		c.ask(&beyond, &Caller{Key: "app"}, Cheap, false)
	}
	if beyond.served() > int(usual.Key*Seconds) || beyond[Limited] == 0 {
		t.Errorf("beyond its rate %v", beyond)
	}
}

// TestHiddenClientsShare asks for thousands of phones behind a proxy that forwards no ports.
func TestHiddenClientsShare(t *testing.T) {
	c := newCity(usual)
	var riders tally
	for second := range 60 {
		c.now = time.Duration(second) * time.Second
		for range 400 {
			c.ask(&riders, &Caller{From: at("203.0.113.7", 0)}, List, false)
		}
	}
	if riders[Limited] > 0 {
		t.Errorf("%v", riders)
	}
}

// TestChargeDelaysTheNextRequest charges more than there is.
func TestChargeDelaysTheNextRequest(t *testing.T) {
	c := newCity(usual)
	for _, who := range []*Caller{{From: at("198.51.100.1", 1)}, {Key: "app"}} {
		c.Take(who, 1, false)
		for range 1000 {
			c.Charge(who, 1000)
		}
		if d := c.Take(who, Cached.Cost, true); d.Outcome != Spare {
			t.Errorf("%+v: idle: %+v", who, d)
		}
		d := c.Take(who, Cached.Cost, false)
		if d.Outcome != Limited || d.Left != 0 || d.Wait < debt || d.Wait > debt+1 {
			t.Errorf("%+v: %+v", who, d)
		}
		c.now += time.Duration(d.Wait) * time.Second
		if d := c.Take(who, Cached.Cost, false); d.Outcome != Within {
			t.Errorf("%+v after the wait: %+v", who, d)
		}
	}
}

// TestMemoryIsBounded brings more clients, addresses and keys than are kept, and then nobody.
func TestMemoryIsBounded(t *testing.T) {
	c := newCity(usual)
	for i := range maxClients + 20_000 {
		c.now += time.Millisecond
		addr := netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})
		for n := range 2 {
			c.Take(&Caller{From: netip.AddrPortFrom(addr, uint16(1+n)), Agent: uint64(i)}, 1, false)
		}
	}
	for i := range 2 * maxKeys {
		c.Take(&Caller{Key: fmt.Sprint(i)}, 1, false)
	}
	clients, groups := c.Known()
	if clients > maxClients || groups > maxClients || len(c.keys.known) > maxKeys {
		t.Errorf("%d clients, %d groups and %d keys are kept", clients, groups, len(c.keys.known))
	}
	c.now += 2 * forgetAfter
	for range 3 {
		c.now += 2 * forgetAfter
		for i := range 256 {
			c.Take(&Caller{From: netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, byte(i)}), 1)}, 1, false)
		}
	}
	if clients, groups := c.Known(); clients > 256 || groups > 512 {
		t.Errorf("%d clients and %d groups are left", clients, groups)
	}
}

func TestNoLimits(t *testing.T) {
	if New(Limits{Spare: 10}) != nil {
		t.Error("a quota without limits")
	}
	c := newCity(Limits{Key: 1})
	for range 1000 {
		if d := c.Take(&Caller{}, 100, false); d.Outcome != Within || d.Policy != "" {
			t.Fatalf("without a limit of clients: %+v", d)
		}
	}
	c.Charge(&Caller{}, 5)
	c = newCity(Limits{Client: 1})
	if d := c.Take(&Caller{Key: "k"}, 1000, false); d.Outcome != Within || d.Policy != "" {
		t.Errorf("without a limit of keys: %+v", d)
	}
	c.Charge(&Caller{Key: "k"}, 5)
}

func BenchmarkTake(b *testing.B) {
	c := newCity(Limits{Client: 1e9, Spare: 1})
	callers := make([]Caller, 5_000)
	for i := range callers {
		callers[i] = Caller{From: at("203.0.113.7", 1+i)}
	}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		c.Take(&callers[i%len(callers)], Cached.Cost, false)
		i++
	}
}
