using System.Text.Json;

namespace WarpProxy.LoadTest.Fleet;

/// <summary>The times that a simulation uses: of a file, or those measured where docs/scale.md says.</summary>
internal static class MeasuredTimes
{
    private static readonly JsonSerializerOptions Format = new(JsonSerializerDefaults.Web) { ReadCommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true };

    /// <summary>One core of an AMD EPYC (family 26, 2.6 GHz), OpenSSL 3.0.19, TLS 1.3 with X25519.</summary>
    public static IReadOnlyList<ServiceTimes> Defaults { get; } =
    [
        Handshake("RSA-2048", software: 232) with { EngineLanes = 8, Scalar = 217, HalfPass = 492, FullPass = 990, Offload = 40, Detour = 60 },
        Handshake("RSA-2048-no-ifma", software: 490) with { EngineLanes = 8, Scalar = 480, HalfPass = 492, FullPass = 990, Offload = 40, Detour = 60 },
        Handshake("RSA-3072", software: 1500) with { EngineLanes = 8, Scalar = 1468, HalfPass = 1447, FullPass = 2911, Offload = 40, Detour = 60 },
        Handshake("RSA-4096", software: 3350) with { EngineLanes = 8, Scalar = 3341, HalfPass = 3286, FullPass = 6645, Offload = 40, Detour = 60 },
        Handshake("P-256", software: 25),
    ];

    /// <summary>Reads a file: an array of objects with the properties of <see cref="ServiceTimes"/>.</summary>
    /// <exception cref="LoadFailure">It cannot be used.</exception>
    public static IReadOnlyList<ServiceTimes> Read(string file)
    {
        try
        {
            ServiceTimes[] times = JsonSerializer.Deserialize<ServiceTimes[]>(File.ReadAllBytes(file), Format) ?? [];
            if (times.Length == 0)
            {
                throw new LoadFailure($"--times is '{file}', which has no times; it must be an array with one object for each kind of key.", LoadFailure.BadInput);
            }

            if (times.Select(static one => one.FindProblem()).FirstOrDefault(static problem => problem is not null) is { } problem)
            {
                throw new LoadFailure($"--times is '{file}', where {problem}", LoadFailure.BadInput);
            }

            return times;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or JsonException)
        {
            throw new LoadFailure($"--times is '{file}', which cannot be read: {failure.Message}", LoadFailure.BadInput);
        }
    }

    private static ServiceTimes Handshake(string key, double software) => new()
    {
        Key = key,
        Before = 200,
        After = 60,
        Rest = 60,
        Resumed = 200,
        Software = software,
        Client = 400,
        Spread = 0.25,
    };
}
