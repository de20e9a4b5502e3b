package open311

import (
	"context"
	"errors"
	"net/http"

	"nhip"
	"nhip/api/reports"
	"nhip/api/rest"
	"nhip/internal/photo"
	"nhip/internal/rpc"
)

// CollectorPhotos keeps photos at the collectors: each one that answers keeps a copy. The parts of a photo are requests
// over the broker, because a packet is smaller than a photo.
type CollectorPhotos struct {
	Names func() []string // of the collectors
	Call  func(ctx context.Context, collector, method string, params, result any) error
}

var errNoCollector = nhip.Errorf(nhip.CodeUnavailable, mediaField, "no collector answers; try again")

// Put implements Photos. It succeeds if at least one collector has the photo on disk.
func (p CollectorPhotos) Put(ctx context.Context, report string, jpeg []byte) error {
	kept, last := false, error(errNoCollector)
	for _, name := range p.Names() {
		if err := p.putAt(ctx, name, report, jpeg); err != nil {
			last = err
			continue
		}
		kept = true
	}
	if kept {
		return nil
	}
	return last
}

func (p CollectorPhotos) putAt(ctx context.Context, collector, report string, jpeg []byte) error {
	for at := 0; ; at += nhip.MaxPhotoChunk {
		end := min(len(jpeg), at+nhip.MaxPhotoChunk)
		c := nhip.PhotoChunk{Report: report, Offset: at, Data: jpeg[at:end], Last: end == len(jpeg)}
		if err := p.Call(ctx, collector, rpc.MethodPhotoPut, c, nil); err != nil || c.Last {
			return err
		}
	}
}

// Get implements Photos: the photo of the first collector that has it.
func (p CollectorPhotos) Get(ctx context.Context, report string) ([]byte, error) {
	missing := error(errNoCollector)
	for _, name := range p.Names() {
		jpeg, err := p.getAt(ctx, name, report)
		if err == nil {
			return jpeg, nil
		}
		missing = err
	}
	return nil, missing
}

func (p CollectorPhotos) getAt(ctx context.Context, collector, report string) ([]byte, error) {
	var jpeg []byte
	for {
		var part nhip.PhotoPart
		q := nhip.PhotoQuery{Report: report, Offset: len(jpeg)}
		if err := p.Call(ctx, collector, rpc.MethodPhotoGet, q, &part); err != nil {
			return nil, err
		}
		jpeg = append(jpeg, part.Data...)
		if len(jpeg) >= part.Size || len(part.Data) == 0 || len(jpeg) > photo.MaxBytes {
			return jpeg, nil
		}
	}
}

// Remove implements Photos. All collectors must answer.
func (p CollectorPhotos) Remove(ctx context.Context, report string) error {
	var errs []error
	for _, name := range p.Names() {
		errs = append(errs, p.Call(ctx, name, rpc.MethodPhotoRemove, nhip.PhotoQuery{Report: report}, nil))
	}
	return errors.Join(errs...)
}

// getQueuedPhoto answers GET /v1/queue/{id}/photo.
func (h *Handler) getQueuedPhoto(w http.ResponseWriter, r *http.Request) error {
	e, err := h.findQueued(r)
	if err != nil {
		return err
	}
	return h.sendPhoto(w, r, e)
}

// getPublicPhoto answers GET /open311/v2/photos/{id} with a photo that staff have published.
func (h *Handler) getPublicPhoto(w http.ResponseWriter, r *http.Request) error {
	id, err := rest.PathID(r, "id")
	if err != nil {
		return err
	}
	e, known := h.Reports.Report(id)
	if !known || !e.Report.PublicPhoto {
		return errNoPhoto
	}
	return h.sendPhoto(w, r, e)
}

var errNoPhoto = nhip.Errorf(nhip.CodeNotFound, "id", "there is no such photo")

// sendPhoto answers with a photo, which browsers must take for nothing else.
func (h *Handler) sendPhoto(w http.ResponseWriter, r *http.Request, e reports.Entry) error {
	if err := rest.ReadQuery(r).Err; err != nil {
		return err
	}
	if !e.Report.Photo {
		return errNoPhoto
	}
	jpeg, err := h.Photos.Get(r.Context(), e.Report.ID)
	if nhip.ErrorCode(err) == nhip.CodeNotFound {
		return errNoPhoto
	}
	if err != nil {
		return err
	}
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; sandbox")
	w.Header().Set("Content-Disposition", "inline; filename="+e.Report.ID+".jpg")
	h.Bytes(w, "image/jpeg", rest.NoStore, jpeg)
	return nil
}
