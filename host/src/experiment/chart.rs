//! Plots of experiments as SVG text: lines over an axis, stacked bars, grouped bars.

use anyhow::{anyhow, Result};
use plotters::prelude::*;

const SIZE: (u32, u32) = (760, 300);
const INKS: [RGBColor; 10] = [
    RGBColor(31, 90, 160),
    RGBColor(208, 102, 20),
    RGBColor(46, 130, 72),
    RGBColor(150, 50, 110),
    RGBColor(120, 120, 120),
    RGBColor(190, 160, 40),
    RGBColor(60, 160, 170),
    RGBColor(110, 80, 50),
    RGBColor(200, 110, 130),
    RGBColor(210, 210, 205),
];

/// Colour of the `index`th series.
fn ink(index: usize) -> RGBColor {
    INKS[index % INKS.len()]
}

/// A named series of points.
pub struct Line {
    pub name: String,
    pub points: Vec<(f64, f64)>,
}

fn drawing(error: impl std::fmt::Display) -> anyhow::Error {
    anyhow!("cannot draw: {error}")
}

type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;

/// Text of a size that does not follow the plot's.
fn text(size: u32) -> TextStyle<'static> {
    ("sans-serif", size).into_font().color(&RGBColor(40, 40, 40))
}

/// Height of a row of the legend, and the width of a name in it.
const LEGEND_ROW: u32 = 18;
const LEGEND_COLUMN: u32 = 125;
const LEGEND_COLUMNS: u32 = 6;

/// Room that the legend of so many series takes above the plot.
fn legend_height(series: usize) -> u32 {
    if series > 1 {
        LEGEND_ROW * (series as u32).div_ceil(LEGEND_COLUMNS) + 6
    } else {
        0
    }
}

/// Writes the legend above the plot, where it hides nothing. Returns what is left for the plot.
fn legend<'a>(area: Area<'a>, names: &[&str]) -> Result<Area<'a>> {
    area.fill(&WHITE).map_err(drawing)?;
    let (head, rest) = area.split_vertically(legend_height(names.len()));
    for (index, name) in names.iter().enumerate().filter(|_| names.len() > 1) {
        let (row, column) = (index as u32 / LEGEND_COLUMNS, index as u32 % LEGEND_COLUMNS);
        let (x, y) = ((8 + column * LEGEND_COLUMN) as i32, (6 + row * LEGEND_ROW) as i32);
        head.draw(&Rectangle::new([(x, y), (x + 12, y + 10)], ink(index).filled())).map_err(drawing)?;
        head.draw(&Text::new(name.to_string(), (x + 17, y), text(12))).map_err(drawing)?;
    }
    Ok(rest)
}

/// Lines over an axis named `x`; `y` names the other.
pub fn lines(x: &str, y: &str, lines: &[Line]) -> Result<String> {
    let points = || lines.iter().flat_map(|line| &line.points);
    let (mut left, mut right, mut top) = (f64::MAX, f64::MIN, 0.0f64);
    for &(at, value) in points() {
        (left, right, top) = (left.min(at), right.max(at), top.max(value));
    }
    if left >= right {
        (left, right) =
            (if left == f64::MAX { 0.0 } else { left }, if left == f64::MAX { 1.0 } else { left + 1.0 });
    }
    let mut svg = String::new();
    {
        let names: Vec<&str> = lines.iter().map(|line| line.name.as_str()).collect();
        let area = legend(SVGBackend::with_string(&mut svg, SIZE).into_drawing_area(), &names)?;
        let mut chart = ChartBuilder::on(&area)
            .margin(8)
            .margin_right(24)
            .x_label_area_size(36)
            .y_label_area_size(60)
            .build_cartesian_2d(left..right, 0.0..(top * 1.05).max(1e-9))
            .map_err(drawing)?;
        chart
            .configure_mesh()
            .disable_x_mesh()
            .light_line_style(TRANSPARENT)
            .x_label_formatter(&tick)
            .y_label_formatter(&tick)
            .x_desc(x)
            .y_desc(y)
            .draw()
            .map_err(drawing)?;
        for (index, line) in lines.iter().enumerate() {
            chart
                .draw_series(LineSeries::new(line.points.iter().copied(), ink(index).stroke_width(2)))
                .map_err(drawing)?;
        }
        area.present().map_err(drawing)?;
    }
    Ok(svg)
}

/// A number as precise as it can be read, its thousands apart.
fn number(value: f64) -> String {
    if value.abs() < 100.0 {
        return format!("{value:.1}");
    }
    let digits = format!("{:.0}", value.abs());
    let mut text = if value < 0.0 { "-".to_string() } else { String::new() };
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number at an axis, which is round.
fn tick(value: &f64) -> String {
    let text = number(*value);
    text.strip_suffix(".0").map(str::to_string).unwrap_or(text)
}

/// A horizontal bar: its name, the lengths of its parts, and a length to compare with.
pub struct Bar {
    pub name: String,
    pub parts: Vec<f64>,
    pub mark: Option<f64>,
}

/// Horizontal bars of stacked parts, one below the other, as in the paper's figures. `parts` names the parts; `limit` is the
/// axis' end, or what the longest bar needs. A mark is a line across its bar.
pub fn bars(x: &str, parts: &[String], bars: &[Bar], limit: Option<f64>) -> Result<String> {
    let longest =
        bars.iter().map(|bar| bar.parts.iter().sum::<f64>().max(bar.mark.unwrap_or(0.0))).fold(0.0, f64::max);
    // Room for the number behind the longest bar.
    let right = limit.unwrap_or(longest * 1.12).max(1e-9);
    let count = bars.len().max(1);
    let mut svg = String::new();
    {
        let size = (SIZE.0, 70 + 26 * count as u32 + legend_height(parts.len()));
        let part_names: Vec<&str> = parts.iter().map(String::as_str).collect();
        let area = legend(SVGBackend::with_string(&mut svg, size).into_drawing_area(), &part_names)?;
        let mut chart = ChartBuilder::on(&area)
            .margin(8)
            .margin_right(24)
            .x_label_area_size(36)
            .y_label_area_size(190)
            .build_cartesian_2d(0.0..right, 0.0..count as f64)
            .map_err(drawing)?;
        chart
            .configure_mesh()
            .disable_y_mesh()
            .light_line_style(TRANSPARENT)
            .y_labels(0)
            .x_label_formatter(&tick)
            .x_desc(x)
            .x_label_style(text(12))
            .axis_desc_style(text(13))
            .draw()
            .map_err(drawing)?;
        for index in 0..parts.len().max(1) {
            let boxes = bars.iter().enumerate().filter_map(|(row, bar)| {
                let from: f64 = bar.parts.iter().take(index).sum();
                let length = *bar.parts.get(index)?;
                let top = (count - row) as f64 - 0.15;
                Some(Rectangle::new([(from, top - 0.7), (from + length, top)], ink(index).filled()))
            });
            chart.draw_series(boxes).map_err(drawing)?;
        }
        let marks = bars.iter().enumerate().filter_map(|(row, bar)| {
            let (at, top) = (bar.mark?, (count - row) as f64 - 0.05);
            Some(PathElement::new([(at, top - 0.9), (at, top)], BLACK.stroke_width(2)))
        });
        chart.draw_series(marks).map_err(drawing)?;
        // Places are of the whole drawing, what is drawn is of the area below the legend.
        let below = legend_height(parts.len()) as i32;
        for (row, bar) in bars.iter().enumerate() {
            let length = bar.parts.iter().sum::<f64>();
            let (end, y) = chart.backend_coord(&(length, (count - row) as f64 - 0.5));
            let y = y - below - 6;
            area.draw(&Text::new(bar.name.clone(), (8, y), text(13))).map_err(drawing)?;
            if limit.is_none() {
                let label = number(length);
                let mark = bar.mark.map(|at| chart.backend_coord(&(at, 0.0)).0);
                let at = label_start(end, DIGIT_WIDTH * label.len() as i32, mark);
                area.draw(&Text::new(label, (at, y), text(12))).map_err(drawing)?;
            }
        }
        area.present().map_err(drawing)?;
    }
    Ok(svg)
}

/// Width of a digit of a label, about, in pixels.
const DIGIT_WIDTH: i32 = 7;

/// Where a label of `width` begins that stands behind the end of a bar, and behind the bar's mark if that would cross it.
fn label_start(end: i32, width: i32, mark: Option<i32>) -> i32 {
    const GAP: i32 = 4;
    match mark {
        Some(at) if (end..end + GAP + width).contains(&at) => at + GAP,
        _ => end + GAP,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_does_not_cross_a_label() {
        assert_eq!(label_start(100, 40, None), 104);
        assert_eq!(label_start(100, 40, Some(90)), 104);
        assert_eq!(label_start(100, 40, Some(120)), 124);
        assert_eq!(label_start(100, 40, Some(144)), 104);
    }

    #[test]
    fn plots_are_svg_and_name_their_series() {
        let line = |name: &str| Line { name: name.into(), points: vec![(0.0, 1.0), (1.0, 3.0)] };
        let svg = lines("time", "packets", &[line("Qlen"), line("Hiwat")]).unwrap();
        assert!(svg.starts_with("<svg") && svg.contains("Qlen") && svg.contains("packets"));
        assert!(lines("time", "packets", &[]).unwrap().starts_with("<svg"), "no data is no error");
        let bar = Bar { name: "W-0-N-N-FCFS-400".into(), parts: vec![60.0, 40.0], mark: None };
        let svg = bars("cycles (%)", &["kernel".into(), "idle".into()], &[bar], Some(100.0)).unwrap();
        assert!(svg.contains("W-0-N-N-FCFS-400") && svg.contains("idle"));
        let bar = Bar { name: "W-0-N-N-FCFS-400".into(), parts: vec![23_031.4], mark: None };
        let plain = bars("requests a second", &["requests".into()], &[bar], None).unwrap();
        assert!(plain.contains("23,031") && plain.contains("5,000") && !plain.contains("5000.0"));
        let bar = Bar { name: "W-0-N-N-FCFS-400".into(), parts: vec![23_031.4], mark: Some(50_000.0) };
        let marked = bars("requests a second", &["requests".into()], &[bar], None).unwrap();
        assert!(marked.contains("50,000") && !plain.contains("50,000"), "the axis has room for the mark");
    }

    #[test]
    fn numbers_are_as_precise_as_they_can_be_read() {
        let numbers = [0.04, 99.94, 100.4, 999.6, -1234.0, 1_234_567.0].map(number);
        assert_eq!(numbers, ["0.0", "99.9", "100", "1,000", "-1,234", "1,234,567"]);
        assert_eq!([0.0, 0.5, 20.0, 5000.0].map(|v| tick(&v)), ["0", "0.5", "20", "5,000"]);
    }
}
