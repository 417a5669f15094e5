namespace WarpProxy.Doctor;

/// <summary>Looks at one part of the machine or of the configuration.</summary>
internal interface ICheck
{
    /// <summary>One word, or two with a hyphen: <c>memlock</c>. Programs know findings by it, so it never changes.</summary>
    string Name { get; }

    /// <summary>Which of several checks of this name; null when there is only one.</summary>
    string? Subject => null;

    /// <summary>The longest that it may take. What it found until then counts.</summary>
    TimeSpan Limit { get; }

    /// <summary>Looks, on a thread of its own, which is left behind when it takes too long.</summary>
    /// <returns>What it sees, as it sees it.</returns>
    IEnumerable<Finding> Run();
}
