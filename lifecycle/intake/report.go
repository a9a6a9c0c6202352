package intake

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"rolecall/lifecycle"
)

const mostReports = 1000 // in one batch

// findings takes what another tool found: one event, or a batch.
func (h *Handler) findings(ctx context.Context, v *visit, media string, body []byte) (answer, error) {
	value, err := parseBody(body)
	if err != nil {
		return answer{}, err
	}
	batch, isBatch := value.([]any)
	if isBatch != (media == mediaBatch) && media != mediaJSON {
		return answer{}, unsupported(fmt.Sprintf("%s is one event, %s a list of them", mediaEvent, mediaBatch))
	}
	if isBatch {
		return h.reportAll(ctx, v, batch)
	}
	report, wrong := readReport(value, "", h.config.Now())
	if report.Source != "" {
		v.source = report.Source
	}
	if err := refuseFields(wrong); err != nil {
		return answer{}, err
	}
	id, duplicate, err := h.config.Inbox.Report(ctx, report)
	if err != nil {
		return answer{}, err
	}
	return kept{ID: string(id), Duplicate: duplicate}.answer(), nil
}

// reportAll keeps a batch. All of it is read before any of it is kept: one
// mistake in the batch refuses it whole.
func (h *Handler) reportAll(ctx context.Context, v *visit, batch []any) (answer, error) {
	if len(batch) > mostReports {
		return answer{}, lifecycle.Refuse(lifecycle.ErrInvalid, "a batch has at most %d events", mostReports)
	}
	reports := make([]lifecycle.Report, len(batch))
	var wrong []lifecycle.FieldError
	for i, value := range batch {
		report, mistakes := readReport(value, fmt.Sprintf("[%d].", i), h.config.Now())
		reports[i], wrong = report, append(wrong, mistakes...)
	}
	if err := refuseFields(wrong); err != nil {
		return answer{}, err
	}
	return h.keepAll(ctx, v, reports)
}

// keepAll answers each report of a batch for itself. A fault of ours answers
// for all of them: what is kept already is a repeat when it is sent again.
func (h *Handler) keepAll(ctx context.Context, v *visit, reports []lifecycle.Report) (answer, error) {
	results := make([]any, len(reports))
	var fresh, refused int
	for i, r := range reports {
		id, duplicate, err := h.config.Inbox.Report(ctx, r)
		refusal, isRefusal := errors.AsType[*lifecycle.Refusal](err)
		switch {
		case isRefusal:
			refused++
			results[i] = failure{problemOf(refusal)}
			h.ledger.refuse(ctx, page{route: http.MethodPost + " " + v.route, verified: true}, r.Source, refusal.Reason)
		case err != nil:
			return answer{}, err
		default:
			results[i] = kept{ID: string(id), Duplicate: duplicate}
			if !duplicate {
				fresh++
			}
		}
	}
	return answer{status: batchStatus(fresh, refused, len(reports)), body: map[string]any{"results": results}}, nil
}

// batchStatus is 202 when something new was kept, 200 when all of it was there
// already, and 422 when nothing could be.
func batchStatus(fresh, refused, total int) int {
	switch {
	case fresh > 0:
		return http.StatusAccepted
	case refused > 0 && refused == total:
		return http.StatusUnprocessableEntity
	default:
		return http.StatusOK
	}
}
