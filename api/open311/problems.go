package open311

import (
	"net/http"

	"nhip"
	"nhip/api/access"
	"nhip/api/reports"
	"nhip/api/rest"
	"nhip/internal/httpserver"
)

// TakeProblem stores a problem that a rider has reported by another standard as a report, with the limits and the
// queue of all reports. A problem that the same installation has just reported is taken once.
func (h *Handler) TakeProblem(r *http.Request, p *reports.Problem) error {
	service, err := h.takeProblem(r, p)
	if err != nil {
		h.refused.WithLabelValues(string(nhip.ErrorCode(err))).Inc()
		return err
	}
	h.taken.WithLabelValues(service).Inc()
	return nil
}

func (h *Handler) takeProblem(r *http.Request, p *reports.Problem) (service string, err error) {
	if !h.Ready() {
		return "", rest.ErrNotReady
	}
	address := httpserver.ClientAddr(r)
	release, err := h.uploads.start(httpserver.ShareAddr(r))
	if err != nil {
		return "", err
	}
	defer release()
	in, err := h.newProblem(p)
	if err != nil {
		return "", err
	}
	report, err := h.Around.enrich(r.Context(), in, in.at)
	if err != nil {
		return "", err
	}
	httpserver.Yield(r) // the rest waits for the collectors
	from := sender{
		caller: rest.CallerOf(r), address: address,
		same: p.Device + "\x00" + p.Code + "\x00" + p.Attributes[reports.AttributeTrip],
	}
	if from.caller.Session != "" { // the standard sends problems with GET, which any page can do with a session's cookie
		from.caller = access.Public
	}
	report.App, report.ID = from.caller.Key, newID()
	if _, err = h.keep(r.Context(), from, in, report, nil); err != nil {
		return "", err
	}
	return report.Service, nil
}

// newProblem returns a problem as a submission without a sender. Its texts are cleaned as those of a form are.
func (h *Handler) newProblem(p *reports.Problem) (*submission, error) {
	service, known := reports.FindService(p.Service)
	if !known {
		return nil, nhip.Errorf(nhip.CodeInternal, "service", "there is no service %q", p.Service)
	}
	in := &submission{
		service: service, at: h.now(), stop: p.Stop, bus: p.Bus, line: p.Line, agency: p.Agency,
		attributes: make(map[string][]string), text: cleanProse(p.Text),
	}
	if err := nhip.CheckProse("userComment", in.text, nhip.MaxReportText); err != nil {
		return nil, rangeless(err)
	}
	for code, value := range p.Attributes {
		value, err := cleanLine(code, value)
		if err != nil {
			return nil, rangeless(err)
		}
		if value != "" {
			in.attributes[code] = []string{value}
		}
	}
	for code, value := range map[string]string{
		reports.AttributeProblem: p.Code, reports.AttributeStop: p.Stop, reports.AttributeBus: p.Bus,
		reports.AttributeLine: p.Line,
	} {
		if value != "" {
			in.attributes[code] = []string{value}
		}
	}
	return in, nil
}
