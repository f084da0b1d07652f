using System.Reflection;
using PicoGpt.Tests.House.Above;
using PicoGpt.Tests.House.Below;
using Xunit;

namespace PicoGpt.Tests.House;

public sealed class HouseTests
{
    private static readonly Assembly Engine = typeof(Gpt2Model).Assembly;
    private static readonly HousePlan Plan = HousePlan.Read();

    [Fact]
    public void The_drawing_has_every_room_and_no_other()
    {
        IEnumerable<string> rooms = Engine.GetTypes()
            .Where(type => type.Namespace?.StartsWith(nameof(PicoGpt), StringComparison.Ordinal) == true)
            .Select(type => HousePlan.RoomOf(type.Namespace!))
            .Distinct();
        Assert.Equal(rooms.Order(StringComparer.Ordinal), Plan.Rooms.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Every_arrow_between_rooms_goes_down()
    {
        IReadOnlySet<TypeArrow> arrows = CompiledArrows.Of(Engine);
        Assert.NotEmpty(arrows);
        string wrong = string.Join('\n', arrows.Where(arrow => !Plan.Allows(arrow)).Select(arrow => arrow.ToString()).Order(StringComparer.Ordinal));
        Assert.True(wrong.Length == 0, $"These reach the wrong way:\n{wrong}");
    }

    [Fact]
    public void An_arrow_is_seen_wherever_a_type_is_named()
    {
        string[] below = [.. CompiledArrows.Of(typeof(HouseTests).Assembly).Where(arrow => arrow.From == nameof(NamesAll)).Select(arrow => arrow.To)];
        string[] expected =
        [
            nameof(Base), nameof(IBelow), nameof(IConstraint), nameof(InAttributeAttribute), nameof(InField), nameof(InParameter), nameof(InResult),
            nameof(InBody), nameof(InLambda), nameof(InPattern), nameof(InArgument), nameof(InCatch),
        ];
        Assert.Equal(expected.Order(StringComparer.Ordinal), below.Order(StringComparer.Ordinal));
    }
}
