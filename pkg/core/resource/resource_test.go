package resource

import (
	"testing"

	"github.com/stretchr/testify/require"
	v1 "k8s.io/api/core/v1"
	apires "k8s.io/apimachinery/pkg/api/resource"
)

func TestFromListUsesBaseUnitsAndNamesAbsurdities(t *testing.T) {
	amounts, faults := FromList(v1.ResourceList{
		"cpu":            apires.MustParse("1500m"),
		"memory":         apires.MustParse("2Gi"),
		"nvidia.com/gpu": apires.MustParse("2"),
		"zero":           apires.MustParse("0"),
		"huge":           apires.MustParse("9E"),
		"negative":       apires.MustParse("-1"),
	})
	require.Equal(t, Amounts{{"cpu", 1500}, {"huge", Limit}, {"memory", 2 << 30}, {"nvidia.com/gpu", 2}}, amounts)
	require.Equal(t, []string{"huge is absurdly large (9E)", "negative is negative (-1)"}, faults)
}

func TestFromListRoundsUp(t *testing.T) {
	amounts, _ := FromList(v1.ResourceList{"cpu": apires.MustParse("100u"), "memory": apires.MustParse("1500m")})
	require.Equal(t, Amounts{{"cpu", 1}, {"memory", 2}}, amounts)
}

func TestAbsurdCPUDoesNotOverflow(t *testing.T) {
	amounts, faults := FromList(v1.ResourceList{"cpu": apires.MustParse("1e30")})
	require.Equal(t, Amounts{{"cpu", Limit}}, amounts)
	require.Len(t, faults, 1)
}

func TestVectorNamesWhatNobodyOffers(t *testing.T) {
	s := NewSpace()
	v, unknown := s.Vector(Amounts{{"cpu", 3}, {"fpga", 1}})
	require.Equal(t, []string{"fpga"}, unknown)
	require.EqualValues(t, 3, v.At(SlotCPU))
	slot, grown := s.Intern("fpga")
	require.True(t, grown)
	require.EqualValues(t, 0, v.At(slot), "an older, shorter vector reads zero in the new slot")
}

func TestFitsIgnoresWhatIsNotAskedFor(t *testing.T) {
	require.True(t, Fits(Vector{0, 1}, Vector{9, 1}, Vector{5, 2}), "slot 0 is overcommitted but not asked for")
	require.False(t, Fits(Vector{0, 2}, Vector{0, 1}, Vector{5, 2}))
	require.False(t, Fits(Vector{0, 0, 1}, nil, Vector{5, 2}), "a slot the node lacks")
}

func TestAddToUndoesItself(t *testing.T) {
	v := Vector{1, 2}
	v = v.AddTo(Vector{1, 1, 7}, 1)
	require.Equal(t, Vector{2, 3, 7}, v)
	v = v.AddTo(Vector{1, 1, 7}, -1)
	require.True(t, v.Equal(Vector{1, 2}))
}
