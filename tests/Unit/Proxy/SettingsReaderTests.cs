using System.ComponentModel.DataAnnotations;
using System.Text;
using WarpProxy.Configuration;

namespace WarpProxy.Tests.Unit.Proxy;

public sealed class SettingsReaderTests
{
    [Fact]
    public void Every_kind_of_setting_is_read()
    {
        (Meal meal, IReadOnlyList<string> problems) = Read("""
            { "Meal": { "Name": "lunch", "Guests": 3, "IsLate": true, "Wait": "00:00:02", "Drink": "tea", "Dishes": ["a", "b"],
                        "Table": { "Seats": 4 }, "Rooms": { "left": { "Seats": 1 }, "Right": { "Seats": 2 } } } }
            """);
        Assert.Empty(problems);
        Assert.Equal(("lunch", 3, true, TimeSpan.FromSeconds(2), Drink.Tea), (meal.Name, meal.Guests, meal.IsLate, meal.Wait, meal.Drink));
        Assert.Equal(["a", "b"], meal.Dishes);
        Assert.Equal(4, meal.Table!.Seats);
        Assert.Equal(2, meal.Rooms["RIGHT"].Seats);
    }

    [Fact]
    public void What_is_left_out_has_its_default()
    {
        (Meal meal, IReadOnlyList<string> problems) = Read("{}");
        Assert.Empty(problems);
        Assert.Equal("dinner", meal.Name);
        Assert.Null(meal.Table);
        Assert.Equal(["soup"], meal.Dishes);
    }

    [Theory]
    [InlineData("""{ "Meal": 7 }""", "Meal is '7'; it is a section and must have its settings below it.")]
    [InlineData("""{ "Meal": { "Gusts": 7 } }""", "Meal:Gusts is not a setting; those of Meal are Dishes, Drink, Guests, IsLate, Name, Rooms, Table, Wait.")]
    [InlineData("""{ "Meal": { "Guests": "many" } }""", "Meal:Guests is 'many'; it must be a whole number.")]
    [InlineData("""{ "Meal": { "Guests": null } }""", "Meal:Guests is null; it must have a value, or be left out.")]
    [InlineData("""{ "Meal": { "Guests": [1] } }""", "Meal:Guests has '0' below it; it must be a single value, no list and no section.")]
    [InlineData("""{ "Meal": { "IsLate": "perhaps" } }""", "Meal:IsLate is 'perhaps'; it must be true or false.")]
    [InlineData("""{ "Meal": { "Wait": "long" } }""", "Meal:Wait is 'long'; it must be a time such as 00:00:05 (hours:minutes:seconds).")]
    [InlineData("""{ "Meal": { "Drink": "ink" } }""", "Meal:Drink is 'ink'; it must be water, tea or wine.")]
    [InlineData("""{ "Meal": { "Drink": "7" } }""", "Meal:Drink is '7'; it must be water, tea or wine.")]
    [InlineData("""{ "Meal": { "Dishes": ["a", null] } }""", "Meal:Dishes:1 is null; it must have a value, or be left out.")]
    [InlineData("""{ "Meal": { "Dishes": [{ "a": 1 }] } }""", "Meal:Dishes:0 has 'a' below it; it must be a single value, no list and no section.")]
    [InlineData("""{ "Meal": { "Table": "round" } }""", "Meal:Table is 'round'; it is a section and must have its settings below it.")]
    [InlineData("""{ "Meal": { "Table": { "Legs": 3 } } }""", "Meal:Table:Legs is not a setting; those of Meal:Table are Seats.")]
    [InlineData("""{ "Meal": { "Table": { "Seats": 0 } } }""", "Meal:Table:Seats is 0; it must be at least 1.")]
    [InlineData("""{ "Meal": { "Rooms": { "left": { "Seats": 0 } } } }""", "Meal:Rooms:left:Seats is 0; it must be at least 1.")]
    [InlineData("""{ "Meal": { "Rooms": "many" } }""", "Meal:Rooms is 'many'; it must have sections below it, each with a name of your choice.")]
    public void Mistake_is_told_with_path_value_and_what_is_allowed(string json, string sentence) => Assert.Equal([sentence], Read(json).Problems);

    [Fact]
    public void All_mistakes_are_told_at_once() =>
        Assert.Equal(3, Read("""{ "Meal": { "Guests": "many", "Nmae": "x", "Table": { "Seats": -1 } } }""").Problems.Count);

    [Fact]
    public void List_of_a_stronger_source_replaces_the_weaker_one_whole() =>
        Assert.Equal(["c"], Read("""{ "Meal": { "Dishes": ["a", "b"] } }""", ("Meal:Dishes:0", "c")).Meal.Dishes);

    [Fact]
    public void Plain_text_is_a_list_of_one() => Assert.Equal(["c"], Read("{}", ("Meal:Dishes", "c")).Meal.Dishes);

    [Fact]
    public void Empty_list_is_no_default() => Assert.Empty(Read("""{ "Meal": { "Dishes": [] } }""").Meal.Dishes);

    private static (Meal Meal, IReadOnlyList<string> Problems) Read(string json, params (string Path, string Value)[] stronger)
    {
        using var stream = new MemoryStream(Encoding.UTF8.GetBytes(json));
        IConfigurationRoot configuration = new ConfigurationBuilder()
            .AddJsonStream(stream)
            .AddInMemoryCollection(stronger.Select(setting => KeyValuePair.Create(setting.Path, (string?)setting.Value)))
            .Build();
        var reader = new SettingsReader(configuration);
        return (reader.Read<Meal>("Meal"), reader.Problems);
    }

    private enum Drink
    {
        Water,
        Tea,
        Wine,
    }

    private sealed record Meal
    {
        public string Name { get; init; } = "dinner";

        public int Guests { get; init; }

        public bool IsLate { get; init; }

        public TimeSpan Wait { get; init; }

        public Drink Drink { get; init; }

        public IReadOnlyList<string> Dishes { get; init; } = ["soup"];

        public Table? Table { get; init; }

        // The type says to the reader what it is.
#pragma warning disable CA1859
        public IReadOnlyDictionary<string, Table> Rooms { get; init; } = new Dictionary<string, Table>();
#pragma warning restore CA1859
    }

    private sealed record Table : IValidatableObject
    {
        public int Seats { get; init; } = 2;

        public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
        {
            if (Seats < 1)
            {
                yield return new($"{validationContext.DisplayName}:Seats is {Seats}; it must be at least 1.");
            }
        }
    }
}
