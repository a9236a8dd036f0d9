// Models of the ECP5 primitives behind kit/ddr.rs, for simulation without delays. They show what a pin does in each half
// of a clock cycle; the delay of DELAYG is for static timing to judge.

/* verilator lint_off DECLFILENAME */
module ODDRX1F(input wire SCLK, input wire RST, input wire D0, input wire D1, output wire Q);
  reg d0 = 0;
  reg d1 = 0;
  always @(posedge SCLK) begin
    d0 <= D0 & ~RST;
    d1 <= D1 & ~RST;
  end
  assign Q = SCLK ? d0 : d1;
endmodule

module IDDRX1F(input wire SCLK, input wire RST, input wire D, output reg Q0, output reg Q1);
  reg rise = 0;
  reg fall = 0;
  initial Q0 = 0;
  initial Q1 = 0;
  always @(posedge SCLK) rise <= D;
  always @(negedge SCLK) fall <= D;
  always @(posedge SCLK) begin
    Q0 <= rise & ~RST;
    Q1 <= fall & ~RST;
  end
endmodule

module DELAYG #(parameter DEL_MODE = "USER_DEFINED", parameter DEL_VALUE = 0)(input wire A, output wire Z);
  assign Z = A;
endmodule
