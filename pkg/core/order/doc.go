// Package order says in which order nodes are tried.
//
// An order (Spec) is a list of evaluators with weights. What an evaluator says of the node alone is its static score. The static scores
// are kept in an Index: the nodes of each class, sorted, in blocks of neighbours that know the most any of them has free. A node that
// changed is moved, nothing is ever re-sorted, and a rollback in the state needs no undo here. An ordinary ask takes the first
// node that has room, passing a whole block at a look when nobody in it has.
//
// What an evaluator says of node and ask together is its dynamic score. Where it is the same for all nodes of a class (preferred node
// affinity, soft taints) it shifts the class as a whole, and the ask still takes the first. Where it is not (request-aware
// allocation), every node that has room is scored. Asks for a scarce resource look only at the nodes that offer it, which stand
// apart in the index, and there walk down by the most that an ask for so many units could score on each node (ceiling), which is known from the
// node alone: they stop where no ceiling is above the best score found.
//
// Scores are whole numbers: each evaluator gives 0 to Unit, times its weight.
package order
