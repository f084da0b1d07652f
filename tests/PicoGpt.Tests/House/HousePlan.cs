namespace PicoGpt.Tests.House;

/// <summary>
/// The rooms (namespaces) of the engine by floor, as CONTRIBUTING.md draws them: the ground floor last. A room knows those of the floors
/// below it, and none beside it.
/// </summary>
internal sealed class HousePlan
{
    private const string Heading = "## How the house is laid out";

    private readonly Dictionary<string, int> _floors = [];

    private HousePlan(IReadOnlyList<string> drawing)
    {
        for (int line = 0; line < drawing.Count; line++)
        {
            // Room, Room    what is done there
            string rooms = drawing[line].Split("  ", 2)[0];
            foreach (string room in rooms.Split(", ")) _floors.Add(room, drawing.Count - line);
        }
    }

    public IEnumerable<string> Rooms => _floors.Keys;

    public static HousePlan Read()
    {
        string[] lines = File.ReadAllLines(Path.Combine(AppContext.BaseDirectory, "CONTRIBUTING.md"));
        IEnumerable<string> section = lines.SkipWhile(line => line != Heading).SkipWhile(line => !line.StartsWith("```", StringComparison.Ordinal));
        return new HousePlan([.. section.Skip(1).TakeWhile(line => line != "```")]);
    }

    /// <summary>A namespace as the drawing has it: the engine's own is <c>PicoGpt</c>, the others go without that.</summary>
    public static string RoomOf(string space) => space == nameof(PicoGpt) ? space : space[(nameof(PicoGpt).Length + 1)..];

    /// <summary>Whether the drawing lets one type name another.</summary>
    public bool Allows(TypeArrow arrow) => _floors[RoomOf(arrow.FromRoom)] > _floors[RoomOf(arrow.ToRoom)];
}
