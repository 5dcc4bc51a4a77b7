import numpy as np
def groove(shape,w,x):
    h=w/2; a=np.abs(x)
    if shape=='G': return np.exp(-np.log(2)*(a/h)**2)
    if shape=='V': return np.maximum(0,1-a/(2*h))
    if shape=='U': return np.exp(-np.log(2)*(a/h)**4)
def D_of(shape,q,rho=.5,share=.5,elev=52,az=90,N=240,w=1.0,scat=0):
    x=np.linspace(-2.2,2.2,N+1); z=-q*groove(shape,w,x)
    xm=.5*(x[1:]+x[:-1]); zm=.5*(z[1:]+z[:-1]); dx=np.diff(x); dz=np.diff(z); ds=np.hypot(dx,dz); nx=-dz/ds; nz=dx/ds
    # horizon angles from each midpoint
    ang=np.arctan2(z[None,:]-zm[:,None],x[None,:]-xm[:,None]) # angle of points
    right=np.array([max(0,ang[i,i+1:].max()) for i in range(N)]); left=np.array([max(0,(np.pi-np.where(ang[i,:i+1]<-np.pi/2+1e-9,ang[i,:i+1]+2*np.pi,ang[i,:i+1])).max()) for i in range(N)])
    tilt=np.arctan2(nx,nz) # normal angle from vertical, + to right
    # visible directions: angle from vertical t in (-(pi/2-left), pi/2-right); relative to normal: t - tilt clipped to +-pi/2
    t1=np.maximum(-(np.pi/2-left),tilt-np.pi/2); t2=np.minimum(np.pi/2-right,tilt+np.pi/2)
    sky=np.maximum(.5*(np.sin(t2-tilt)-np.sin(t1-tilt)),0)
    l=np.array([np.cos(np.radians(elev))*np.sin(np.radians(az)),np.sin(np.radians(elev))]) # component across (az=90) and up
    hor=right if l[0]>0 else left
    vis=np.clip(.5+ (np.arctan2(l[1],abs(l[0])+1e-9)-hor)/np.radians(8),0,1)
    lamp=np.maximum(nx*l[0]+nz*l[1],0)*vis
    E=(1-share)*sky+share*lamp
    # view factors
    F=np.zeros((N,N))
    for i in range(N):
        a=np.arctan2(x-xm[i],z-zm[i])-tilt[i] # angle from normal of each node (from vertical) 
        a=(a+np.pi)%(2*np.pi)-np.pi; s=np.sin(np.clip(a,-np.pi/2,np.pi/2)); f=.5*np.abs(np.diff(s))
        # visibility: facing
        face=((x[1:]+x[:-1])/2-xm[i])*nx[i]+(zm-zm[i])*nz[i]>1e-12; back=(xm[i]-xm)*nx+(zm[i]-zm)*nz>1e-12
        F[i]=np.where(face&back,f,0)
    B=np.linalg.solve(np.eye(N)-rho*F,rho*E); flat=rho*((1-share)+share*l[1])
    if scat>0:
        k=np.exp(-.5*((xm[:,None]-xm[None])/scat)**2); k/=k.sum(1,keepdims=True); B=.5*B+.5*k@B
    P=np.log(B/flat); 
    return -(P*dx).sum(), xm,P
if __name__=='__main__':
    qs=np.array([.1,.2,.3,.45,.6,.8,1.0])
    for cfg in [dict(),dict(share=0),dict(share=.8),dict(elev=70),dict(elev=38),dict(az=30),dict(rho=.3),dict(rho=.65),dict(scat=.15)]:
        for sh in 'GVU':
            d=np.array([D_of(sh,q,**cfg)[0] for q in qs]); print(cfg,sh,np.round(d/qs**2,2))
