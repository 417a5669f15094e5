using System.Text.Json;

namespace WarpDrive.Engines;

/// <summary>
/// Where measured times are kept from one start to the next. Only a hint: a file that is missing, damaged, somebody else's or of
/// another machine is passed over and written anew, and where nothing can be written, every start measures.
/// </summary>
internal sealed class CalibrationFile(string path)
{
    private const int MaxBytes = 4096;      // written are about 700

    // From a tenth of a microsecond to ten seconds: other times are nobody's.
    private const double MinMicroseconds = 0.1;
    private const double MaxMicroseconds = 1e7;

    /// <summary>The file's path.</summary>
    public string Path => path;

    /// <summary><c>$XDG_CACHE_HOME/warpproxy/engine-times.json</c>, or below <c>~/.cache</c>; null: there is neither.</summary>
    public static CalibrationFile? Default()
    {
        string? cache = Environment.GetEnvironmentVariable("XDG_CACHE_HOME");
        if (string.IsNullOrEmpty(cache) || !System.IO.Path.IsPathRooted(cache))
        {
            // A relative one is to be ignored, by the XDG Base Directory Specification.
            string home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile, Environment.SpecialFolderOption.DoNotVerify);
            cache = home.Length > 0 ? System.IO.Path.Combine(home, ".cache") : null;
        }

        return cache is null ? null : new CalibrationFile(System.IO.Path.Combine(cache, "warpproxy", "engine-times.json"));
    }

    /// <summary>The times of <see cref="EngineCalibration.Sizes"/>; null when the file has none that were measured under these conditions.</summary>
    public EngineTimes[]? Read(string conditions)
    {
        try
        {
            if (!FileOwner.IsOurs(path) || new FileInfo(path).Length > MaxBytes)
            {
                return null;
            }

            Content? content = JsonSerializer.Deserialize<Content>(File.ReadAllBytes(path));
            return content?.Conditions == conditions && content.Times?.Length == EngineCalibration.Sizes.Length && Array.TrueForAll(content.Times, IsPlausible)
                ? content.Times
                : null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or JsonException or EntryPointNotFoundException)
        {
            return null;
        }
    }

    /// <summary>Keeps times; readers see the old file or the new one. Returns whether it worked.</summary>
    public bool TryWrite(string conditions, EngineTimes[] times)
    {
        const UnixFileMode Owner = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        try
        {
            string directory = System.IO.Path.GetDirectoryName(path)!;
            Directory.CreateDirectory(directory, Owner | UnixFileMode.UserExecute);
            string temporary = System.IO.Path.Combine(directory, System.IO.Path.GetRandomFileName());
            try
            {
                var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = Owner };
                using (var stream = new FileStream(temporary, options))
                {
                    JsonSerializer.Serialize(stream, new Content(conditions, times));
                }

                File.Move(temporary, path, overwrite: true);
            }
            finally
            {
                File.Delete(temporary);
            }

            return true;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static bool IsPlausible(EngineTimes times) =>
        IsPlausible(times.Scalar) && IsPlausible(times.HalfPass) && IsPlausible(times.FullPass);

    private static bool IsPlausible(double microseconds) => microseconds is > MinMicroseconds and < MaxMicroseconds;

    private sealed record Content(string? Conditions, EngineTimes[]? Times);
}
