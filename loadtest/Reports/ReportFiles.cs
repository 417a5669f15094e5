using System.Text;
using WarpProxy.LoadTest.Compare;

namespace WarpProxy.LoadTest.Reports;

/// <summary>The two files of a report.</summary>
/// <param name="htmlFile">For people.</param>
/// <param name="jsonFile">For programs.</param>
internal sealed class ReportFiles(string htmlFile, string jsonFile)
{
    /// <summary>Makes sure that both can be written, before anything is measured for them.</summary>
    /// <exception cref="LoadFailure">They cannot.</exception>
    public static ReportFiles Open(string htmlFile)
    {
        string jsonFile = Path.ChangeExtension(htmlFile, ".json");
        try
        {
            foreach (string file in (string[])[htmlFile, jsonFile])
            {
                File.Open(file, FileMode.OpenOrCreate, FileAccess.Write).Dispose();
            }
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new LoadFailure($"--report is {htmlFile}; it cannot be written: {failure.Message}", LoadFailure.BadInput);
        }

        return new ReportFiles(htmlFile, jsonFile);
    }

    public void Write(ComparisonResult result)
    {
        File.WriteAllText(htmlFile, HtmlReport.Write(result), new UTF8Encoding(encoderShouldEmitUTF8Identifier: false));
        File.WriteAllText(jsonFile, ComparisonJson.Write(result) + "\n");
    }
}
