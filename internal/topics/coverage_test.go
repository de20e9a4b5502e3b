package topics

import "testing"

func TestCensusesCoverWhatCollectorsHaveSubscribed(t *testing.T) {
	c := NewCensuses()
	receive := func(collector, payload string, valid bool) {
		t.Helper()
		if err := c.Receive(CensusTopic(collector), []byte(payload)); (err == nil) != valid {
			t.Errorf("census %s: %v", payload, err)
		}
	}
	check := func(topic string, want bool) {
		t.Helper()
		if got := c.Coverage().Covers(topic); got != want {
			t.Errorf("%s is covered: %v, want %v; filters %v", topic, got, want, c.Coverage())
		}
	}
	check("nhip/in/position/1", false)
	receive("old", `{"buses":3,"stations":1}`, true) // of a version without filters
	check("nhip/in/position/1", false)
	receive("a", `{"buses":0,"stations":0,"filters":["/hfp/v2/#","nhip/in/position/+"]}`, true)
	receive("b", `{"filters":["nhip/in/reading/+","nhip/in/position/+"]}`, true)
	check("nhip/in/position/1", true)
	check("nhip/in/reading/1", true)
	check("sensors/1", false)
	receive("a", "", true)
	check("/hfp/v2/x", false)
	check("nhip/in/position/1", true)
	receive("b", `{"filters":["a/#/b"]}`, false)
	check("nhip/in/position/1", false)
	receive("b", `{`, false)
	if err := c.Receive("nhip/live/bus/a/1", nil); err == nil {
		t.Error("a topic of another kind is accepted")
	}
}

func TestCensusesForgetWhatIsNotReceivedAgain(t *testing.T) {
	c := NewCensuses()
	for _, collector := range []string{"gone", "here"} {
		if err := c.Receive(CensusTopic(collector), []byte(`{"filters":["`+collector+`/#"]}`)); err != nil {
			t.Fatal(err)
		}
	}
	for range censusRounds + 1 {
		c.NextRound()
		if err := c.Receive(CensusTopic("here"), []byte(`{"filters":["here/#"]}`)); err != nil {
			t.Fatal(err)
		}
	}
	if !c.Coverage().Equal(Coverage{"here/#"}) {
		t.Errorf("coverage %v", c.Coverage())
	}
}
