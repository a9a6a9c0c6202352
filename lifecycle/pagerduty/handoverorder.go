package pagerduty

import (
	"rolecall/lifecycle"
)

// handover returns the change as something that can be looked at and carried out, or a Refusal when it cannot be.
func (c *Client) handover(o lifecycle.Order) (*handover, error) {
	h := &handover{Client: c, Order: o}
	e := o.Change.Entitlement
	switch {
	case o.Account == "":
		return nil, lifecycle.Refuse(lifecycle.ErrInvalid, "%s has no PagerDuty account to change.", who(o))
	case checkID(o.Account) != nil:
		return nil, checkID(o.Account)
	case e.Kind == lifecycle.KindSession && o.Change.Op == lifecycle.OpContain && e.Role == lifecycle.SessionSignIns:
		h.deed = h.endSignIns
	case e.Kind == lifecycle.KindSession && o.Change.Op == lifecycle.OpContain && e.Role == lifecycle.SessionCalendar:
		h.deed = h.renewCalendar
	case o.Change.Op != lifecycle.OpHandover || e.Kind == lifecycle.KindSession:
		return nil, lifecycle.Refuse(lifecycle.ErrInvalid, "rolecall cannot change the %s of an account.", clean(string(e.Kind), 40))
	default:
		if err := h.checkOrder(); err != nil {
			return nil, err
		}
		h.deed = h.handing()
	}
	return h, nil
}

// handing returns how what is handed over is handed over, or given back.
func (h *handover) handing() deed {
	back := h.Change.Restores != ""
	switch e := h.Change.Entitlement; {
	case e.Kind == lifecycle.KindEscalationPolicy && back:
		return h.returnLevel
	case e.Kind == lifecycle.KindEscalationPolicy:
		return h.handLevel
	case e.Kind == lifecycle.KindIncident && back && h.Original != nil:
		return h.returnIncident
	case e.Kind == lifecycle.KindIncident:
		return h.handIncident
	case e.Override != "":
		return h.handOverride()
	case back:
		return h.returnSeat()
	default:
		return h.handSeat()
	}
}

// checkOrder refuses what is no handover, whatever PagerDuty shows.
func (h *handover) checkOrder() error {
	change, e := h.Change, h.Change.Entitlement
	nobody := change.To == lifecycle.NoSuccessor
	switch {
	case change.Unchosen():
		return lifecycle.Refuse(lifecycle.ErrInvalid, "Nobody has been chosen yet to take over %s.", h.thing())
	case change.From == change.To:
		return lifecycle.Refuse(lifecycle.ErrInvalid, "%s cannot take over %s from themselves.", h.taker(), h.thing())
	case nobody && e.Kind == lifecycle.KindSchedule:
		return lifecycle.Refuse(lifecycle.ErrInvalid, "Somebody must take over %s: a seat is time, and would be left to nobody.", h.thing())
	case change.Restores != "" && h.Original == nil && (e.Kind != lifecycle.KindIncident || change.From == lifecycle.NoSuccessor):
		return lifecycle.Refuse(lifecycle.ErrNotFound, "What %s was before is not on record, so it cannot be given back. Change it in PagerDuty by hand.", h.object())
	}
	for _, id := range []string{e.Object.ID, change.From, change.To} {
		if !plainID.MatchString(id) {
			return lifecycle.Refuse(lifecycle.ErrInvalid, "%q is no PagerDuty id.", clean(id, 40))
		}
	}
	if e.Override != "" && !plainID.MatchString(e.Override) {
		return lifecycle.Refuse(lifecycle.ErrInvalid, "%q is no PagerDuty id.", clean(e.Override, 40))
	}
	switch e.Kind {
	case lifecycle.KindEscalationPolicy, lifecycle.KindSchedule, lifecycle.KindIncident:
		return nil
	default:
		return lifecycle.Refuse(lifecycle.ErrInvalid, "rolecall cannot hand over the %s of an account.", clean(string(e.Kind), 40))
	}
}
