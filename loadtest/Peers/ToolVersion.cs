using System.Diagnostics;

namespace WarpProxy.LoadTest.Peers;

/// <summary>Asks a program which version it is.</summary>
internal static class ToolVersion
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    /// <summary>The first line that it writes; empty when it writes none or does not end.</summary>
    public static string Read(string program, string option)
    {
        var lines = new List<string>();
        using Process process = Process.Start(
            new ProcessStartInfo(program, [option]) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true })!;
        process.StandardInput.Close();
        process.OutputDataReceived += (_, line) => Keep(line.Data);
        process.ErrorDataReceived += (_, line) => Keep(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        if (!process.WaitForExit(Limit))
        {
            process.Kill();
        }

        process.WaitForExit(); // and for the last of its lines
        return lines.FirstOrDefault("");

        void Keep(string? line)
        {
            lock (lines)
            {
                if (!string.IsNullOrWhiteSpace(line))
                {
                    lines.Add(line.Trim());
                }
            }
        }
    }
}
