// Package queues reads the file that says which queues there are: YuniKorn's queues.yaml unchanged, or the same keys in a shorter form.
//
// Its promise: a file is taken whole or refused whole. Parse yields a valid cluster.Tree, or every fault it can find, each with line, column and
// what would be allowed. What YuniKorn knows and Sluice does not act on gives a warning; nothing else is ignored.
//
// The way of a file:
//
//	bytes ── strict ──> file ── builder ──> cluster.Tree
//	         unknown keys   │   names, amounts, properties, ACLs, limits, rules;
//	         types          │   then what holds between queues
//	                        └──> faults and warnings, in the order of the file
//
// Where YuniKorn's code and its documentation differ, its code is followed, so that a file means the same under both.
package queues
