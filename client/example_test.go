package client_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"

	"nhip"
	"nhip/client"
)

// fakeAPI answers as an API with two rows in its ledger.
func fakeAPI() *httptest.Server {
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("collector") == "east" {
			w.WriteHeader(http.StatusNotFound)
			fmt.Fprint(w, `{"title":"Not found","detail":"collector: there is no \"east\"",`+
				`"code":"not_found","field":"collector"}`)
			return
		}
		fmt.Fprint(w, `{"rows":[
			{"device":"bus/hanoi/29B-12345","received":360,"stored":358,"duplicate":2},
			{"device":"air/hn-01","received":12,"stored":11,"rejected":{"out_of_range":1}}]}`)
	}))
}

// Read the ledger, page by page, and look for rejected rows.
func Example() {
	server := fakeAPI()
	defer server.Close()
	ctx := context.Background()

	api, err := client.New(server.URL, "the operator's token")
	if err != nil {
		fmt.Println(err)
		return
	}
	for page, err := range api.LedgerPages(ctx, client.LedgerQuery{}) {
		if err != nil {
			fmt.Println(err)
			return
		}
		for _, row := range page.Rows {
			fmt.Printf("%s: %d received, %d stored, %d rejected\n",
				row.Device, row.Received, row.Stored, row.TotalRejected())
		}
	}

	// An error has the code, the field and the rule of the API's answer.
	_, err = api.Ledger(ctx, client.LedgerQuery{Collector: "east"})
	var known *nhip.Error
	if errors.As(err, &known) {
		fmt.Println(known.Code, known.Field)
	}
	// Output:
	// bus/hanoi/29B-12345: 360 received, 358 stored, 0 rejected
	// air/hn-01: 12 received, 11 stored, 1 rejected
	// not_found collector
}
