// Package share says whose turn it is among queues, which account refuses an ask, and what each queue's fair share is.
//
// Every queue has, per resource, a guarantee, a max and a weight. Nobody exceeds a max by our decision (Refusal). Among siblings those go first that
// would stay within their guarantee, then the others by what they hold beyond it, in proportion to their weights (Scale.Key). What everybody
// should have in the end is computed exactly by filling level by level (Divide); it is shown and reclaimed by, and the order of turns tends to it.
package share
