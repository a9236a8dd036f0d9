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
        let area = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        area.fill(&WHITE).map_err(drawing)?;
        let mut chart = ChartBuilder::on(&area)
            .margin(8)
            .x_label_area_size(36)
            .y_label_area_size(60)
            .build_cartesian_2d(left..right, 0.0..(top * 1.05).max(1e-9))
            .map_err(drawing)?;
        chart
            .configure_mesh()
            .disable_x_mesh()
            .light_line_style(TRANSPARENT)
            .x_desc(x)
            .y_desc(y)
            .draw()
            .map_err(drawing)?;
        for (index, line) in lines.iter().enumerate() {
            chart
                .draw_series(LineSeries::new(line.points.iter().copied(), ink(index).stroke_width(2)))
                .map_err(drawing)?
                .label(&line.name)
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 16, y)], ink(index).stroke_width(2)));
        }
        chart
            .configure_series_labels()
            .background_style(WHITE.mix(0.8))
            .border_style(RGBColor(210, 210, 210))
            .draw()
            .map_err(drawing)?;
        area.present().map_err(drawing)?;
    }
    Ok(svg)
}

/// A horizontal bar: its name, and the lengths of its parts.
pub struct Bar {
    pub name: String,
    pub parts: Vec<f64>,
}

/// Horizontal bars of stacked parts, one below the other, as in the paper's figures. `parts` names the parts; `limit` is the
/// axis' end, or what the longest bar needs.
pub fn bars(x: &str, parts: &[String], bars: &[Bar], limit: Option<f64>) -> Result<String> {
    let longest = bars.iter().map(|bar| bar.parts.iter().sum::<f64>()).fold(0.0, f64::max);
    let right = limit.unwrap_or(longest * 1.05).max(1e-9);
    let count = bars.len().max(1);
    let mut svg = String::new();
    {
        let size = (SIZE.0, 70 + 26 * count as u32);
        let area = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        area.fill(&WHITE).map_err(drawing)?;
        let names: Vec<String> = bars.iter().map(|bar| bar.name.clone()).collect();
        let mut chart = ChartBuilder::on(&area)
            .margin(8)
            .x_label_area_size(36)
            .y_label_area_size(190)
            .build_cartesian_2d(0.0..right, 0.0..count as f64)
            .map_err(drawing)?;
        chart
            .configure_mesh()
            .disable_y_mesh()
            .light_line_style(TRANSPARENT)
            .y_labels(0)
            .x_desc(x)
            .draw()
            .map_err(drawing)?;
        for index in 0..parts.len().max(1) {
            let boxes = bars.iter().enumerate().filter_map(|(row, bar)| {
                let from: f64 = bar.parts.iter().take(index).sum();
                let length = *bar.parts.get(index)?;
                let top = (count - row) as f64 - 0.15;
                Some(Rectangle::new([(from, top - 0.7), (from + length, top)], ink(index).filled()))
            });
            let drawn = chart.draw_series(boxes).map_err(drawing)?;
            if parts.len() > 1 {
                drawn
                    .label(&parts[index])
                    .legend(move |(x, y)| Rectangle::new([(x, y - 5), (x + 12, y + 5)], ink(index).filled()));
            }
        }
        for (row, name) in names.iter().enumerate() {
            let (_, y) = chart.backend_coord(&(0.0, (count - row) as f64 - 0.5));
            let style = ("sans-serif", 13).into_font().color(&RGBColor(40, 40, 40));
            area.draw(&Text::new(name.clone(), (8, y - 6), style)).map_err(drawing)?;
        }
        if parts.len() > 1 {
            chart
                .configure_series_labels()
                .background_style(WHITE.mix(0.8))
                .position(SeriesLabelPosition::LowerRight)
                .draw()
                .map_err(drawing)?;
        }
        area.present().map_err(drawing)?;
    }
    Ok(svg)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plots_are_svg_and_name_their_series() {
        let line = Line { name: "Qlen".into(), points: vec![(0.0, 1.0), (1.0, 3.0)] };
        let svg = lines("time", "packets", &[line]).unwrap();
        assert!(svg.starts_with("<svg") && svg.contains("Qlen") && svg.contains("packets"));
        assert!(lines("time", "packets", &[]).unwrap().starts_with("<svg"), "no data is no error");
        let bar = Bar { name: "W-0-N-N-FCFS-400".into(), parts: vec![60.0, 40.0] };
        let svg = bars("cycles (%)", &["kernel".into(), "idle".into()], &[bar], Some(100.0)).unwrap();
        assert!(svg.contains("W-0-N-N-FCFS-400") && svg.contains("idle"));
    }
}
